/**
 * Files that ask Slurm or Kubernetes to start a command, with the command's own values filled in.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { shellWord } from "./shell_word.ts";

/** Where each template is. */
const files = { slurm: "slurm.sh", job: "job.yaml", jobset: "jobset.yaml" } as const;

/** Who is asked. */
export type TemplateKind = keyof typeof files;

/** Every kind, for the option. */
export const templateKinds = Object.keys(files) as readonly TemplateKind[];

/** What is filled in. */
export interface TemplateValues {
  readonly nproc: number;
  readonly nodes: number;
  readonly restarts: number;
  /** A task of deno.json and its words, or a program and its. */
  readonly words: readonly string[];
  readonly isTask: boolean;
  /** Of the job, and of all that belongs to it. */
  readonly name: string;
}

/**
 * A template with these values.
 *
 * @throws InputError if the name cannot be that of a host, which it becomes a part of
 */
export async function fillTemplate(kind: TemplateKind, values: TemplateValues): Promise<string> {
  const { nproc, nodes, restarts, isTask, name } = values, size = nproc * nodes;
  if (!/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) {
    throw new InputError(
      `Cannot name a job "${name}": it must be of 1 to 40 lower-case letters, digits and -, as in motian-1`,
    );
  }
  const words = isTask ? ["deno", "task", "--quiet", ...values.words] : values.words;
  const filled: Readonly<Record<string, string | number>> = {
    ...{ name, nproc, nodes, restarts, size, attempts: restarts + 1, failures: restarts * size },
    shell: words.map(shellWord).join(" "),
    // JSON is YAML; Kubernetes would put $(NAME)s in, but for those that are written with two $.
    words: JSON.stringify(words.map((word) => word.replaceAll("$(", "$$$("))),
  };
  const text = await Deno.readTextFile(new URL(`templates/${files[kind]}`, import.meta.url));
  return text.replace(/__([a-z]+)__/g, (_, key: string) => String(filled[key]));
}
