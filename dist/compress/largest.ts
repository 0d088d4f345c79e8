/** The largest size among numbers, or NaN if one of them is that. */
export function largest(values: Float32Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    most = size > most || size !== size ? size : most; // NaN stays
  }
  return most;
}
