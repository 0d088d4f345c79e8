/**
 * Combines down columns. An invocation owns one column or four; on a real GPU a workgroup also cuts the rows into
 * slices, because a matrix has often too few columns to fill the machine.
 *
 * @module
 */
import { operandsOf } from "../../expr/expr.ts";
import type { ColumnKernel } from "../../plan/kernels.ts";
import { address, collapse, coordinates, isVector } from "./address.ts";
import { bind, load, type SlotOf, store, unitOf } from "./bindings.ts";
import { overGroups, type Shader, type Target } from "./shader.ts";
import { combineText, expressions, identityText, typeName } from "./wgsl_expr.ts";

/** Slices of the rows in one workgroup, and columns beside each other in it. */
function shapeOf(columns: number, rows: number, target: Target): readonly [number, number] {
  if (target.software || rows < 32) return [1, target.software ? 8 : 64];
  const across = columns >= 16 ? 16 : columns >= 4 ? 4 : 1;
  return [256 / across, across];
}

export function columnShader(k: ColumnKernel, slotOf: SlotOf, target: Target): Shader {
  const merged = collapse([...k.rows, k.columns], k.loads.map((l) => l.strides), true);
  const rowAxes = merged.sizes.slice(0, -1), rows = rowAxes.reduce((a, b) => a * b, 1);
  const loads = k.loads.map((l, i) => ({ ...l, strides: merged.strides[i]! }));
  const lanes = k.columns % 4 === 0 ? 4 : 1, columns = k.columns / lanes, dtype = k.value.dtype;
  const bound = bind(
    [
      ...loads.map((l) => ({
        node: l.base,
        write: false,
        vector: lanes === 4 && isVector(l.offset, l.strides),
      })),
      { node: k.store, write: true, vector: lanes === 4 },
    ],
    slotOf,
    target,
  );

  const [slices, across] = shapeOf(columns, rows, target);
  const at = coordinates("r", rowAxes);
  const reads = operandsOf([k.value]).map((i) => {
    const l = loads[i]!, unit = unitOf(bound, l.base), stride = l.strides.at(-1)!;
    const where = address(l.offset / unit, [
      ...at.map((c, axis): [string, number] => [c, l.strides[axis]! / unit]),
      ["column", unit === 4 ? 1 : stride * lanes],
    ]);
    return `let x${i} = ${load(bound, l, where, lanes, stride)};`;
  });
  const { lines, names } = expressions([k.value], lanes, (i) => `x${i}`, target.roundsF16);
  const step = `sum = ${combineText(k.combine, "sum", names[0]!, dtype, lanes)};`;
  const put = store(
    bound,
    k.store,
    address(0, [["column", lanes / unitOf(bound, k.store)]]),
    "sum",
    lanes,
  );
  const parts = [
    `let column = group * ${across}u + lane % ${across}u; let slice = lane / ${across}u;`,
    `var sum = ${identityText(k.combine, dtype, lanes)};`,
    `if (column < ${columns}u) { for (var r = slice; r < ${rows}u; r += ${slices}u) {`,
    ...reads,
    ...lines,
    step,
    "} }",
  ];
  if (slices > 1) {
    parts.push("s[lane] = sum;", "workgroupBarrier();");
    for (let half = slices / 2; half >= 1; half /= 2) {
      const fold = combineText(k.combine, "s[lane]", `s[lane + ${half * across}u]`, dtype, lanes);
      parts.push(`if (slice < ${half}u) { s[lane] = ${fold}; }`, "workgroupBarrier();");
    }
    parts.push("sum = s[lane];");
  }
  parts.push(`if (slice == 0u && column < ${columns}u) { ${put} }`);
  const size = slices * across;
  const memory = slices > 1 ? `var<workgroup> s: array<${typeName(dtype, lanes)}, ${size}>;` : "";
  const style = `${slices} slices ${lanes === 4 ? "vec4" : "scalar"}`;
  return overGroups(
    bound,
    Math.ceil(columns / across),
    size,
    memory,
    parts.join("\n  "),
    style,
  );
}
