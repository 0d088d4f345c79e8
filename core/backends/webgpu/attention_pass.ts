/**
 * The loop of every pass of attention: an invocation owns some rows, whose vectors it holds in registers, and walks all rows of the
 * other side, a block at a time. Products of the own vectors with a block become weights, by which the block's vectors are added up.
 *
 * How a workgroup shares the vectors of a block:
 *
 * - `subgroup`: every lane reads those of one row, and broadcasts them. On a CPU that runs a subgroup as one SIMD register a read is
 *   a loop over lanes and a broadcast one instruction.
 * - `workgroup`: they are brought into workgroup memory, for real GPUs.
 * - `none`: every invocation reads all of them, where barriers run on a CPU that has no subgroups.
 *
 * @module
 */
import type { AttentionKernel, AttentionOperand } from "../../graph/fused_kernel.ts";
import {
  bindParts,
  four,
  functions,
  headStart,
  type Parts,
  type Touched,
} from "./attention_parts.ts";
import type { Bindings } from "./bindings.ts";
import { overGroups, type Shader, type Target } from "./shader.ts";

const range = (n: number): number[] => [...Array(n).keys()];

/** How a pass is cut. */
export interface Cut {
  readonly share: "subgroup" | "workgroup" | "none";
  /** Invocations of a workgroup, and rows that each of them owns. */
  readonly size: number;
  readonly rows: number;
  /** Rows of the other side whose weights are made at once, and those that are brought at once. */
  readonly block: number;
  readonly tile: number;
}

/** Workgroup memory that every adapter has, in fours of f32; tiles longer than this bring nothing more. */
const memoryFours = 1024, longestTile = 32;

/**
 * Numbers that an invocation holds in the vectors of its rows. More rows share what is read; on a GPU they take registers, on a CPU
 * time to compile: at K = 64 one to two seconds a pass against half of one (measured), which little work does not earn back.
 */
const heldNumbers = { gpu: 192, little: 256, much: 640 } as const;
/** Products of numbers from which work is much. */
const muchWork = 2 ** 28;

/** The cut of a pass that holds `vectors` vectors a row and brings `streams`. */
export function cutOf(
  target: Target,
  { B, H, T, K }: AttentionKernel,
  vectors: number,
  streams: number,
): Cut {
  const fours = Math.ceil(K / 4), much = B * H * T * T * K >= muchWork;
  const held = heldNumbers[!target.software ? "gpu" : much ? "much" : "little"];
  const most = Math.min(much && target.software ? 4 : 2, Math.floor(T / 8));
  const rows = Math.max(1, Math.min(most, Math.floor(held / (4 * fours * vectors))));
  if (!target.software) {
    const tile = Math.min(longestTile, Math.floor(memoryFours / (8 * streams * fours)) * 8);
    return { share: "workgroup", size: 64, rows, block: 4, tile };
  }
  // Blocks of as many fours as keep every lane busy; a block's weights are made together, at some cost a block.
  const block = fours >= 16 ? 2 : fours >= 8 || !much ? 4 : 8;
  const lanes = target.subgroups?.lanes;
  return lanes
    ? { share: "subgroup", size: lanes, rows, block, tile: block }
    : { share: "none", size: 16, rows, block, tile: block };
}

/** Vectors of the other side. */
export interface Stream {
  readonly name: AttentionOperand;
  /** The own vector that they are multiplied with: product n of own row r and row l of the block is s{n}_{r}_{l}. */
  readonly by?: AttentionOperand;
  /** They are added up by the weights w{n}_{r}_{l}, into the fours a{n}_{r}_{c}. */
  readonly add?: boolean;
}

/** A pass. Texts see: head, b, h; own row t{r}, which is there if is{r}; row u{l} of the block, which is there if in{l}. */
export interface Pass {
  readonly streams: readonly Stream[];
  readonly touched: Touched;
  /** Before the walk. */
  readonly start: (bound: Bindings, r: number) => string;
  /** What all own rows need of row l of a block. */
  readonly each?: (bound: Bindings, l: number) => string;
  /** From the products with a block to weights; `fade{r}`, if there is one, is what old sums are multiplied with. */
  readonly weigh: (bound: Bindings, r: number, block: number) => string;
  readonly fades?: boolean;
  /** After it, where the own row is there; `sums` are the names of stream n's fours. */
  readonly finish: (bound: Bindings, r: number, sums: (n: number) => readonly string[]) => string;
}

/** The text of a score: the own row is the query. */
export function queryScore(p: Parts, r: number, l: number): string {
  const row = p.kernel.does.R > 0 ? `row_of(t${r}, u${l})` : "0u";
  return `let i${r}_${l} = ${row}; let z${r}_${l} = score_of(s0_${r}_${l}, head, t${r}, u${l}, i${r}_${l});`;
}

/** "a, or b where row l of the block is not there" */
export function orElse(p: Parts, l: number, tile: number, a: string, b: string): string {
  return p.kernel.does.T % tile ? `select(${b}, ${a}, in${l})` : a;
}

/** The walk over all blocks. */
function walk(p: Parts, bound: Bindings, pass: Pass, cut: Cut): string {
  const { T, K } = p.kernel.does, { share, size, block, tile } = cut, fours = Math.ceil(K / 4);
  const C = range(fours), L = range(block), R = range(cut.rows), ragged = T % tile !== 0;
  const clamped = (t: string): string => ragged ? `min(${t}, ${T - 1}u)` : t;
  /** The block's fours in a row are spread over the lanes. */
  const loads = Math.ceil(block * fours / size);
  const own = (n: number): string =>
    share === "subgroup"
      ? range(loads).map((q) => {
        const four_ = q === 0 ? "lane" : `(lane + ${q * size}u)`;
        const row = clamped(`(at + ${four_} / ${fours}u)`), c = `(${four_} % ${fours}u)`;
        return `let x${n}_${q} = ${four(p, bound, pass.streams[n]!.name, row, c)};`;
      }).join("\n")
      : "";
  const vector = (n: number, l: number, c: number): string => {
    const at = l * fours + c;
    if (share === "subgroup") {
      return `subgroupBroadcast(x${n}_${Math.floor(at / size)}, ${at % size}u)`;
    }
    if (share === "workgroup") return `m${n}[(at - base + ${l}u) * ${fours}u + ${c}u]`;
    return four(p, bound, pass.streams[n]!.name, clamped(`u${l}`), c);
  };
  const products = pass.streams.flatMap(({ by }, n) => [
    by ? own(n) : "",
    ...by
      ? [
        R.flatMap((r) => L.map((l) => `var s${n}_${r}_${l} = 0f;`)).join(" "),
        ...C.flatMap((c) =>
          L.map((l) => {
            const sums = R.map((r) =>
              `s${n}_${r}_${l} = dot_on(h_${by}_${r}_${c}, e, s${n}_${r}_${l});`
            );
            return `{ let e = ${vector(n, l, c)}; ${sums.join(" ")} }`;
          })
        ),
      ]
      : [],
  ]);
  const sums = pass.streams.flatMap(({ by, add }, n) =>
    !add ? [] : [
      by ? "" : own(n),
      ...C.flatMap((c) => [
        ...pass.fades ? R.map((r) => `a${n}_${r}_${c} *= fade${r};`) : [],
        ...L.map((l) => {
          const more = R.map((r) =>
            `a${n}_${r}_${c} = fma(vec4f(w${n}_${r}_${l}), e, a${n}_${r}_${c});`
          );
          return `{ let e = ${vector(n, l, c)}; ${more.join(" ")} }`;
        }),
      ]),
    ]
  );
  const body = [
    ...L.map((l) =>
      `let u${l} = at + ${l}u;${ragged ? ` let in${l} = u${l} < ${T}u;` : ""} ${
        pass.each?.(bound, l) ?? ""
      }`
    ),
    ...products,
    ...R.map((r) => pass.weigh(bound, r, block)),
    ...sums,
  ].filter(Boolean).join("\n    ");
  if (share !== "workgroup") {
    return `for (var at = 0u; at < ${T}u; at += ${block}u) {\n    ${body}\n  }`;
  }
  const bring = pass.streams.map(({ name }, n) => {
    const value = four(p, bound, name, clamped(`(base + n / ${fours}u)`), `(n % ${fours}u)`);
    return `m${n}[n] = ${value};`;
  });
  return `for (var base = 0u; base < ${T}u; base += ${tile}u) {
    workgroupBarrier();
    for (var n = lane; n < ${tile * fours}u; n += ${size}u) { ${bring.join(" ")} }
    workgroupBarrier();
    for (var at = base; at < base + ${tile}u; at += ${block}u) {\n    ${body}\n  }
  }`;
}

/** The shader of a pass. */
export function passShader(p: Parts, pass: Pass, cut: Cut, target: Target, what: string): Shader {
  const { B, H, T, K } = p.kernel.does, { share, size, rows } = cut;
  const fours = Math.ceil(K / 4), C = range(fours), R = range(rows);
  const bound = bindParts(p, pass.touched), tiles = Math.ceil(T / (size * rows));
  const held = [...new Set(pass.streams.flatMap((s) => s.by ?? []))];
  const names = new Set([...held, ...pass.streams.map((s) => s.name)]);
  const sumsOf = (r: number) => (n: number): string[] => C.map((c) => `a${n}_${r}_${c}`);
  const body = [
    `let head = group / ${tiles}u; let first = group % ${tiles}u * ${size * rows}u + lane;`,
    `let b = head / ${H}u; let h = head % ${H}u;`,
    ...[...names].map((name) => headStart(p, bound, name)),
    ...R.flatMap((r) => [
      `let is${r} = first + ${r * size}u < ${T}u; let t${r} = min(first + ${r * size}u, ${
        T - 1
      }u);`,
      ...held.flatMap((name) =>
        C.map((c) => `let h_${name}_${r}_${c} = ${four(p, bound, name, `t${r}`, c)};`)
      ),
      ...pass.streams.flatMap(({ add }, n) =>
        add ? C.map((c) => `var a${n}_${r}_${c} = vec4f();`) : []
      ),
      pass.start(bound, r),
    ]),
    walk(p, bound, pass, cut),
    ...R.map((r) => `if (is${r}) { ${pass.finish(bound, r, sumsOf(r))} }`),
  ].filter(Boolean).join("\n  ");
  const memory = share === "workgroup"
    ? pass.streams.map((_, n) => `var<workgroup> m${n}: array<vec4f, ${cut.tile * fours}>;\n`)
    : [];
  const own = `${rows === 1 ? "a row" : `${rows} rows`} an invocation`;
  const shared = { subgroup: "shared in a subgroup", workgroup: "shared in memory", none: "alone" };
  const shader = overGroups(
    bound,
    B * H * tiles,
    size,
    `${memory.join("")}${functions(p, bound)}`,
    body,
    `${what}: ${own}, ${shared[share]}`,
  );
  if (share !== "subgroup") return shader;
  return { ...shader, code: target.subgroups!.header + shader.code };
}
