/**
 * The memory of numbers as bytes.
 *
 * @module
 */

/** The bytes of a view, not a copy. */
export function bytesOf<B extends ArrayBufferLike>(
  { buffer, byteOffset, byteLength }: ArrayBufferView<B>,
): Uint8Array<B> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
