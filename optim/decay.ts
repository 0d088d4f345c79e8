/** Weight decay. */
import { add, cast, mul } from "../core/mod.ts";
import { stateless, type Transform } from "./transform.ts";

/** Adds λ · parameter to every update, λ from the parameter's group: decoupled from the moments. Source: Loshchilov and Hutter 2019. */
export function addDecayedWeights(): Transform {
  return stateless((update, { value, settings }) =>
    settings.decay === 0 ? update : add(update, mul(cast(value, "f32"), settings.decay))
  );
}
