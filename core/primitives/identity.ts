/**
 * The rules of the kinds whose value is their first input: alias and remat. The transforms treat
 * remat's backward pass, and `custom`, themselves.
 */
import { alias } from "../graph/build.ts";
import { type AliasNode, makeNode, type RematNode } from "../graph/node.ts";
import type { Rule } from "./rule.ts";

const first = {
  evaluate: (_: unknown, [x]: Parameters<Rule<AliasNode>["evaluate"]>[1]) => x!,
  vjp: (_: unknown, ct: AliasNode["inputs"][0], i: number) => i === 0 ? ct : null,
  jvp: (_: unknown, [t]: Parameters<Rule<AliasNode>["jvp"]>[1]) => t ?? null,
};

export const aliasRule: Rule<AliasNode> = {
  ...first,
  batch: (_, [x, ...after]) => alias(x!, after),
};

export const rematRule: Rule<RematNode> = {
  ...first,
  batch: (n, inputs) =>
    makeNode({ kind: "remat", shape: inputs[0]!.shape, dtype: n.dtype, inputs }),
};
