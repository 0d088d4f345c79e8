/** How programs are started under MPI. */

/** Set for a process of an MPI world that runs tests. */
export const MPI_VARIABLE = "MOTIAN_TEST_MPI";

/** The library that such a process opens, if not the one of what started it. */
export const LIBRARY_VARIABLE = "MOTIAN_TEST_MPI_LIBRARY";

/** The MPIs that are known, by the last part of the name that Debian gives to each one's mpiexec. */
export const mpis = ["mpich", "openmpi"] as const;

/** `mpiexec` of one MPI, with more processes than cores and as root if need be. */
export function mpiCommand(which: string, size: number): readonly string[] {
  const allowances = which === "openmpi" ? ["--allow-run-as-root", "--oversubscribe"] : [];
  return [`mpiexec.${which}`, ...allowances, "-n", String(size)];
}

/** Is it on this machine? */
export const hasMpi = (which: string): Promise<boolean> => hasProgram(`mpiexec.${which}`);

/** Is a program on this machine? */
export async function hasProgram(name: string): Promise<boolean> {
  try {
    await new Deno.Command(name, { args: ["--version"] }).output();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
