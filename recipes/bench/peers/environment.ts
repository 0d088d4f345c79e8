/**
 * Where peers run: their Python, and their environment.
 *
 * @module
 */

/** Debian's, which has python3-torch: another Python on the path may come first and lack it. */
export const python = "/usr/bin/python3";

/** The environment of a peer: ours, less what would choose OpenBLAS's kernels and threads for it. */
export function peerEnvironment(): Record<string, string> {
  const own = Object.entries(Deno.env.toObject());
  return Object.fromEntries(own.filter(([name]) => !/^(OPENBLAS|OMP|GOMP|MKL|GOTO)_/.test(name)));
}
