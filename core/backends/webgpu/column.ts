/**
 * Combines down columns. An invocation owns one column or four; on a real GPU a workgroup also cuts the rows into
 * slices, because a matrix has often too few columns to fill the machine.
 *
 * @module
 */
import { operandsOf } from "../../expr/expr.ts";
import { address, collapse, coordinates, isVector } from "./address.ts";
import { bind, load, type SlotOf, store, unitOf } from "./bindings.ts";
import type { ColumnPart } from "./part.ts";
import { overGroups, type Shader, type Target } from "./shader.ts";
import { combineText, expressions, identityText, typeName } from "./wgsl_expr.ts";

/** How a workgroup is cut. */
interface Cut {
  /** Slices of the rows. */
  readonly slices: number;
  /** Invocations beside each other. */
  readonly across: number;
  /** Columns of an invocation, `across` apart. */
  readonly each: number;
}

/** A CPU waits for every row that it has not fetched ahead, and fetches ahead what stands side by side: there an invocation takes several columns. */
function cutOf(columns: number, rows: number, target: Target): Cut {
  if (target.software) {
    const each = [4, 2].find((n) => rows >= 32 && columns >= 16 * n) ?? 1;
    return { slices: 1, across: 8, each };
  }
  if (rows < 32) return { slices: 1, across: 64, each: 1 };
  const across = columns >= 16 ? 16 : columns >= 4 ? 4 : 1;
  return { slices: 256 / across, across, each: 1 };
}

export function columnShader(k: ColumnPart, slotOf: SlotOf, target: Target): Shader {
  const merged = collapse([...k.rows, k.columns], k.loads.map((l) => l.strides), true);
  const rowAxes = merged.sizes.slice(0, -1), rows = rowAxes.reduce((a, b) => a * b, 1);
  const loads = k.loads.map((l, i) => ({ ...l, strides: merged.strides[i]! }));
  const lanes = k.columns % 4 === 0 ? 4 : 1, columns = k.columns / lanes, dtype = k.value.dtype;
  const start = k.into?.offset ?? 0;
  const bound = bind(
    [
      ...loads.map((l) => ({
        node: l.base,
        write: false,
        vector: lanes === 4 && isVector(l.offset, l.strides),
      })),
      { node: k.store, write: true, vector: lanes === 4 && start % 4 === 0 },
    ],
    slotOf,
    target,
  );

  const { slices, across, each } = cutOf(columns, rows, target), span = across * each;
  const at = coordinates("r", rowAxes), own = [...Array(each).keys()];
  const reads = operandsOf([k.value]).map((i) => {
    const l = loads[i]!, unit = unitOf(bound, l.base), stride = l.strides.at(-1)!;
    const where = address(l.offset / unit, [
      ...at.map((c, axis): [string, number] => [c, l.strides[axis]! / unit]),
      ["column", unit === 4 ? 1 : stride * lanes],
    ]);
    return `let x${i} = ${load(bound, l, where, lanes, stride)};`;
  });
  const { lines, names } = expressions([k.value], lanes, (i) => `x${i}`, target.roundsF16);
  const put = (value: string): string => {
    const unit = unitOf(bound, k.store), where = address(start / unit, [["column", lanes / unit]]);
    const old = load(bound, { base: k.store, offset: 0, strides: [1] }, where, lanes);
    const all = k.adds ? combineText(k.combine, old, value, dtype, lanes) : value;
    return store(bound, k.store, where, all, lanes);
  };
  /** Statements for one of the invocation's columns, if it is one. */
  const ofColumn = (c: number, body: string): string => {
    const guard = columns % span === 0 ? "" : `if (column < ${columns}u) `;
    return `{ let column = first${c ? ` + ${c * across}u` : ""}; ${guard}{ ${body} } }`;
  };
  const add = (c: number): string =>
    `sum${c} = ${combineText(k.combine, `sum${c}`, names[0]!, dtype, lanes)};`;
  const parts = [
    `let first = group * ${span}u + lane % ${across}u; let slice = lane / ${across}u;`,
    ...own.map((c) => `var sum${c} = ${identityText(k.combine, dtype, lanes)};`),
    `for (var r = slice; r < ${rows}u; r += ${slices}u) {`,
    ...own.map((c) => ofColumn(c, [...reads, ...lines, add(c)].join("\n"))),
    "}",
  ];
  if (slices > 1) {
    parts.push("s[lane] = sum0;", "workgroupBarrier();");
    for (let half = slices / 2; half >= 1; half /= 2) {
      const fold = combineText(k.combine, "s[lane]", `s[lane + ${half * across}u]`, dtype, lanes);
      parts.push(`if (slice < ${half}u) { s[lane] = ${fold}; }`, "workgroupBarrier();");
    }
    parts.push("sum0 = s[lane];");
  }
  const puts = own.map((c) => ofColumn(c, put(`sum${c}`))).join(" ");
  parts.push(slices > 1 ? `if (slice == 0u) { ${puts} }` : puts);
  const size = slices * across;
  const memory = slices > 1 ? `var<workgroup> s: array<${typeName(dtype, lanes)}, ${size}>;` : "";
  const style = `${slices} slices ${lanes === 4 ? "vec4" : "scalar"}${
    each > 1 ? ` x ${each}` : ""
  }`;
  return overGroups(
    bound,
    Math.ceil(columns / span),
    size,
    memory,
    parts.join("\n  "),
    style,
  );
}
