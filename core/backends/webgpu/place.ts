/**
 * Parts put into a tensor of one value: pad, concat, the transpose of slice. An invocation owns an element of the result,
 * or four, and asks each part whether it covers it. More parts than a shader may bind are put down in several passes.
 *
 * @module
 */
import { scalarOf } from "../../dtype.ts";
import type { PlaceKernel } from "../../plan/kernels.ts";
import { address, coordinates, isVector, u32 } from "./address.ts";
import type { PlacePart } from "./part.ts";
import { bind, type Bindings, loadWords, type SlotOf, storeWords, unitOf } from "./bindings.ts";
import { overUnits, type Shader, type Target } from "./shader.ts";
import { type Lanes, literal, toWord } from "./wgsl_expr.ts";

type Part = PlaceKernel["parts"][number];

/** May this part be moved four elements at a time? */
function movesByFour(p: Part): boolean {
  return p.steps.at(-1) === 1 && p.starts.at(-1)! % 4 === 0 && p.sizes.at(-1)! % 4 === 0;
}

/** Statements that set `v` if the part covers the element at `at`. */
function takeText(bound: Bindings, p: Part, at: readonly string[], lanes: Lanes): string {
  const last = at.length - 1, unit = unitOf(bound, p.from.base), tests: string[] = [];
  const lines = at.map((c, axis) => {
    // Coordinates of the last axis count in units of `lanes`; a distance below 0 wraps to a large one.
    const per = axis === last ? lanes : 1, step = Math.abs(p.steps[axis]!);
    const start = u32(p.starts[axis]! / per);
    const distance = p.steps[axis]! > 0 ? `${c} - ${start}` : `${start} - ${c}`;
    tests.push(`d${axis} / ${step}u < ${p.sizes[axis]! / per}u`);
    if (step !== 1) tests.push(`d${axis} % ${step}u == 0u`);
    return `let d${axis} = ${distance};`;
  });
  const terms = at.map((_, axis): [string, number] => {
    const scale = axis === last ? lanes : 1;
    return [`(d${axis} / ${Math.abs(p.steps[axis]!)}u)`, p.from.strides[axis]! * scale / unit];
  });
  const where = address(p.from.offset / unit, terms);
  const words = loadWords(bound, p.from.base, where, lanes, p.from.strides.at(-1) ?? 0);
  return `{ ${lines.join(" ")} if (${
    tests.join(" && ") || "true"
  }) { v = ${words}; own = true; } }`;
}

function pass(
  k: PlacePart,
  parts: readonly Part[],
  first: boolean,
  slotOf: SlotOf,
  target: Target,
): Shader {
  const rank = k.shape.length;
  const four = rank > 0 && k.shape.at(-1)! % 4 === 0 && parts.every(movesByFour);
  const lanes = four ? 4 : 1;
  const bound = bind(
    [
      ...parts.map((p) => ({
        node: p.from.base,
        write: false,
        vector: four && isVector(p.from.offset, p.from.strides),
      })),
      {
        node: k.store,
        write: true,
        vector: four && (!k.into || isVector(k.into.offset, k.into.strides)),
      },
    ],
    slotOf,
    target,
  );
  const sizes = k.shape.map((n, i) => i === rank - 1 ? n / lanes : n);
  const at = coordinates("unit", sizes);
  const dtype = scalarOf(k.store.dtype);
  const fill = toWord(literal(k.fill, dtype, lanes), dtype, lanes);
  const unit = unitOf(bound, k.store);
  const terms = k.into?.strides.map((s, axis): [string, number] => [
    at[axis]!,
    axis === rank - 1 ? s * lanes / unit : s / unit,
  ]);
  const where = address((k.into?.offset ?? 0) / unit, terms ?? [["unit", lanes / unit]]);
  const put = storeWords(bound, k.store, where, "v", lanes);
  const body = `var v = ${fill}; var own = ${first};
  ${parts.map((p) => takeText(bound, p, at, lanes)).join("\n  ")}
  if (own) { ${put} }`;
  const units = sizes.reduce((a, b) => a * b, 1);
  return overUnits(bound, units, 64, body, lanes === 4 ? "vec4" : "scalar");
}

export function placeShaders(k: PlacePart, slotOf: SlotOf, target: Target): Shader[] {
  const most = target.bindings - 1, shaders: Shader[] = [];
  for (let from = 0; from === 0 || from < k.parts.length; from += most) {
    shaders.push(pass(k, k.parts.slice(from, from + most), from === 0, slotOf, target));
  }
  return shaders;
}
