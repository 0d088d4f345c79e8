/**
 * Rows by index, and their transpose. Both move words; only scatter adds.
 *
 * @module
 */
import { scalarOf } from "../../dtype.ts";
import type { Sizes } from "../../graph/node.ts";
import type { Operand } from "../../plan/kernels.ts";
import type { Access } from "../../plan/views.ts";
import { address, coordinates, isVector } from "./address.ts";
import { bind, type Bindings, loadWords, type SlotOf, storeWords, unitOf } from "./bindings.ts";
import type { GatherPart, ScatterPart } from "./part.ts";
import { LONGEST_LOOP, overUnits, type Shader, type Target } from "./shader.ts";
import { fromWord, type Lanes, toWord } from "./wgsl_expr.ts";

function product(sizes: Sizes): number {
  return sizes.reduce((a, b) => a * b, 1);
}

/** Where coordinates stand, in elements of a binding of `unit`; the last axis counts in units of `lanes`. */
function addressOf(a: Access, at: readonly string[], lanes: Lanes, unit: Lanes): string {
  const terms = at.map((c, axis): [string, number] => {
    const stride = a.strides[axis]!;
    return [c, axis < at.length - 1 ? stride / unit : stride * lanes / unit];
  });
  return address(a.offset / unit, terms);
}

/** The words of an operand at coordinates; the last axis counts in units of `lanes`. */
function wordsAt(bound: Bindings, o: Operand, at: readonly string[], lanes: Lanes): string {
  const where = addressOf(o, at, lanes, unitOf(bound, o.base));
  return loadWords(bound, o.base, where, lanes, o.strides.at(-1) ?? 0);
}

/** Row axes with the last one in units of four where both sides allow it. */
function widthOf(row: Sizes, o: Operand): { readonly lanes: Lanes; readonly vector: boolean } {
  if (!row.length || row.at(-1)! % 4 !== 0) return { lanes: 1, vector: false };
  return { lanes: 4, vector: isVector(o.offset, o.strides) };
}

const inUnits = (row: Sizes, lanes: Lanes): Sizes =>
  row.map((n, i) => i === row.length - 1 ? n / lanes : n);

/** May a store be made by fours? */
const isAligned = (into: Access | undefined): boolean =>
  !into || isVector(into.offset, into.strides);

/** The number of an id in this part of the table; one before it is a large number, as a negative id is. */
const idOf = (word: string, first = 0): string => first ? `${word} - ${first}u` : word;

export function gatherShader(k: GatherPart, slotOf: SlotOf, target: Target): Shader {
  const { lanes, vector } = widthOf(k.row, k.table), row = inUnits(k.row, lanes);
  const bound = bind(
    [
      { node: k.table.base, write: false, vector },
      { node: k.ids.base, write: false, vector: false },
      { node: k.store, write: true, vector: lanes === 4 && isAligned(k.into) },
    ],
    slotOf,
    target,
  );
  const at = coordinates("unit", [...k.groups, ...k.count, ...row]);
  const g = at.slice(0, k.groups.length), ids = at.slice(0, k.groups.length + k.count.length);
  const r = at.slice(ids.length), u32 = lanes === 4 ? "vec4u" : "u32";
  const found = wordsAt(bound, k.table, [...g, "id", ...r], lanes);
  const unit = unitOf(bound, k.store);
  const put = k.into ? addressOf(k.into, at, lanes, unit) : address(0, [["unit", lanes / unit]]);
  const store = storeWords(bound, k.store, put, "found", lanes);
  const body = `let id = ${idOf(wordsAt(bound, k.ids, ids, 1), k.first)};
  var found = ${u32}();
  if (id < ${k.size}u) { found = ${found}; ${k.first ? store : ""} }
  ${k.first ? "" : store}`;
  const units = product(k.groups) * product(k.count) * product(row);
  return overUnits(bound, units, 64, body, lanes === 4 ? "vec4" : "scalar");
}

/**
 * One dispatch, or several that each add some of the ids where a loop over all of them would be too long.
 *
 * WGSL has no atomic float addition, and its order would change from run to run. So an invocation owns some columns of
 * some rows of the result, walks all ids in their order, and adds those that are its own.
 */
export function scatterShaders(k: ScatterPart, slotOf: SlotOf, target: Target): Shader[] {
  const { lanes, vector } = widthOf(k.row, k.updates), row = inUnits(k.row, lanes);
  const bound = bind(
    [
      { node: k.ids.base, write: false, vector: false },
      { node: k.updates.base, write: false, vector },
      { node: k.store, write: true, vector: lanes === 4 && isAligned(k.into) },
    ],
    slotOf,
    target,
  );
  const groups = product(k.groups), columns = product(row), count = product(k.count);
  const wanted = Math.ceil((target.software ? 256 : 32768) / (groups * columns));
  const rows = Math.ceil(k.size / Math.min(k.size, Math.max(1, wanted)));
  const chunks = Math.ceil(k.size / rows);

  // Neighbours own neighbouring columns: their reads and writes stand side by side.
  const g = coordinates("g", k.groups), n = coordinates("n", k.count), r = coordinates("c", row);
  const unit = unitOf(bound, k.store), dtype = scalarOf(k.store.dtype);
  const place = (id: string): string =>
    k.into
      ? addressOf(k.into, [...g, id, ...r], lanes, unit)
      : address(0, [[`((g * ${k.size}u + ${id}) * ${columns}u + c)`, lanes / unit]]);
  const old = fromWord(loadWords(bound, k.store, "at", lanes), dtype, lanes);
  const update = fromWord(wordsAt(bound, k.updates, [...g, ...n, ...r], lanes), dtype, lanes);
  const zero = lanes === 4 ? "vec4u()" : "0u";
  const clear = `for (var row = first; row < end; row++) { ${
    storeWords(bound, k.store, place("row"), zero, lanes)
  } }`;
  const body = (from: number, to: number): string =>
    `let c = unit % ${columns}u; let first = unit / ${columns}u % ${chunks}u * ${rows}u;
  let g = unit / ${columns * chunks}u; let end = min(first + ${rows}u, ${k.size}u);
  ${from === 0 && !k.adds ? clear : ""}
  for (var n = ${from}u; n < ${to}u; n++) {
    let id = ${idOf(wordsAt(bound, k.ids, [...g, ...n], 1), k.first)};
    if (id >= first && id < end) {
      let at = ${place("id")};
      let sum = ${old} + ${update};
      ${storeWords(bound, k.store, "at", toWord("sum", dtype, lanes), lanes)}
    }
  }`;
  const size = target.software ? 16 : 64;
  const style = `${chunks} chunks of ${rows} rows, ${lanes === 4 ? "vec4" : "scalar"}`;
  const part = target.software ? LONGEST_LOOP : count;
  return Array.from({ length: Math.max(1, Math.ceil(count / part)) }, (_, n) => {
    const text = body(n * part, Math.min(count, (n + 1) * part));
    return overUnits(bound, groups * chunks * columns, size, text, style);
  });
}
