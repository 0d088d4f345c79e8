/** The rule of every kind of node. Leaves have none; vjp and vmap treat `custom` themselves. */
import type { Kind, NodeOf } from "../graph/node.ts";
import { gatherRule, scatterRule } from "./gather.ts";
import { aliasRule, rematRule } from "./identity.ts";
import { mapRule } from "./map.ts";
import { matmulRule } from "./matmul.ts";
import { expandRule, permuteRule, placeRule, reshapeRule, sliceRule } from "./move.ts";
import { reduceRule } from "./reduce.ts";
import type { Rule } from "./rule.ts";

/** Kinds without inputs. */
export type LeafKind = "input" | "data" | "const" | "iota";
/** Kinds with a rule. */
export type RuledKind = Exclude<Kind, LeafKind | "custom">;

export const rules: { readonly [K in RuledKind]: Rule<NodeOf<K>> } = {
  map: mapRule,
  reduce: reduceRule,
  matmul: matmulRule,
  reshape: reshapeRule,
  permute: permuteRule,
  expand: expandRule,
  slice: sliceRule,
  place: placeRule,
  gather: gatherRule,
  scatter: scatterRule,
  alias: aliasRule,
  remat: rematRule,
};

/** The rule of one node, with the node's type forgotten: the table above vouches that they fit. */
export function ruleOf(n: NodeOf<RuledKind>): Rule<NodeOf<RuledKind>> {
  return rules[n.kind] as unknown as Rule<NodeOf<RuledKind>>;
}
