/**
 * How a model knows where a token stands: by a scheme of its attention, or by learnt rows that are added to the tokens' (BERT).
 *
 * @module
 */
import { type Scheme, type SchemeName, schemes } from "../../nn/attention/scheme.ts";
import type { ModelConfig } from "./config.ts";

/** The name of a scheme, or `absolute`. */
export type PositionName = SchemeName | "absolute";

/** All of them. */
export const positionNames: readonly PositionName[] = [
  ...Object.keys(schemes) as SchemeName[],
  "absolute",
];

/** What attention does; under `absolute` it sees content alone. */
export function schemeOf({ scheme }: Pick<ModelConfig, "scheme">): Scheme {
  return scheme === "absolute" ? schemes.none : schemes[scheme];
}

/**
 * The longest text that a model has positions for; Infinity under relative schemes. Rows beyond the longest text of training are there and
 * have learnt nothing.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { longestText } from "./positions.ts";
 *
 * assertEquals(longestText({ scheme: "absolute", maxLength: 128 }), 128);
 * assertEquals(longestText({ scheme: "tupe", maxLength: 128 }), 512);
 * assertEquals(longestText({ scheme: "motian", maxLength: 128 }), Infinity);
 * ```
 */
export function longestText(model: Pick<ModelConfig, "scheme" | "maxLength">): number {
  if (model.scheme === "absolute") return model.maxLength;
  return schemeOf(model).absolute || Infinity;
}
