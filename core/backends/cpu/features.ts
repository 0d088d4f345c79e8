/**
 * What this engine's WebAssembly can do. Validation is the only reliable test.
 *
 * @module
 */
import { encoded, encodeModule, f32x4, get, set, V128 } from "./encoder.ts";

/** Fused multiply-add and one-instruction selects. */
export const hasRelaxedSimd: boolean = WebAssembly.validate(encodeModule([
  encoded({
    params: [],
    locals: [V128],
    body: set(0, f32x4.relaxedMadd(get(0), get(0), get(0))),
  }),
], { maximum: 1, shared: false, wide: false }));
