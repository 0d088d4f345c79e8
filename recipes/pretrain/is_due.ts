/** Is it time for what is done every so many steps? Never where that is 0. */
export function isDue(step: number, every: number): boolean {
  return every > 0 && step % every === 0;
}
