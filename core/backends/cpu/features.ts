/**
 * What this engine's WebAssembly can do. Validation is the only reliable test.
 *
 * @module
 */
import { encodeFunction, encodeModule, f32x4, get, set, V128 } from "./encoder.ts";

/** Fused multiply-add and one-instruction selects. */
export const hasRelaxedSimd: boolean = WebAssembly.validate(encodeModule([{
  params: 0,
  result: false,
  bytes: encodeFunction({
    params: 0,
    locals: [V128],
    body: set(0, f32x4.relaxedMadd(get(0), get(0), get(0))),
  }),
}], { maximum: 1, shared: false }));
