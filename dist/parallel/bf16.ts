/**
 * bf16, the upper half of f32: as many powers of two, 8 bits of every number.
 *
 * @module
 */

/** Rounds to nearest, ties to even. What is not finite stays what it is; numbers beyond bf16's largest become infinite. */
export function toBf16(from: Float32Array, into: Uint16Array): void {
  const bits = new Uint32Array(from.buffer, from.byteOffset, from.length);
  for (let i = 0; i < bits.length; i++) {
    const x = bits[i]!;
    // Rounding may carry a NaN's last bit away: one bit that no rounding reaches keeps it.
    const isNan = (x & 0x7fffffff) > 0x7f800000;
    into[i] = isNan ? x >>> 16 | 0x40 : (x + 0x7fff + (x >>> 16 & 1)) >>> 16;
  }
}

/** Exact. */
export function fromBf16(from: Uint16Array, into: Float32Array): void {
  const bits = new Uint32Array(into.buffer, into.byteOffset, into.length);
  for (let i = 0; i < from.length; i++) bits[i] = from[i]! << 16;
}
