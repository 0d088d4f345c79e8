/** How programs are started under MPI. */

/** `mpiexec` of one MPI, `mpich` or `openmpi`, with more processes than cores and as root if need be. */
export function mpiCommand(which: string, size: number): readonly string[] {
  const allowances = which === "openmpi" ? ["--allow-run-as-root", "--oversubscribe"] : [];
  return [`mpiexec.${which}`, ...allowances, "-n", String(size)];
}
