/** The option that chooses a device. */

/** `--device`, the same for every command that computes. */
export const deviceOption = {
  type: "choice",
  choices: ["auto", "webgpu", "cpu", "reference"],
  default: "auto",
  help: "auto takes a GPU where there is one, else cpu",
} as const;
