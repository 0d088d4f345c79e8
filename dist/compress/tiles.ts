/**
 * Products of blocks of f32 in WebAssembly, four numbers at a time. Products and sums are rounded one by one and in a fixed order: the
 * same bits on every machine, as ranks that must agree need them, which fused multiply-adds would not give.
 *
 * @module
 */
import {
  bump,
  type Code,
  encoded,
  encodeModule,
  f32x4,
  get,
  I32,
  i32,
  loop,
  set,
  V128,
  v128,
} from "../../core/backends/cpu/encoder.ts";

/** Rows and columns of C that are summed in registers at a time: its sizes are multiples of them. */
export const TILE = { rows: 4, cols: 8 };
const VECTORS = TILE.cols / 4, PAGE = 1 << 16, MOST_PAGES = 1 << 14;

/** Where the blocks of a product are in the memory. Units: bytes, but for the sizes. */
export interface Product {
  readonly rows: number;
  readonly cols: number;
  readonly inner: number;
  /** A's element (i, k) is at a + i · aRow + k · aInner. */
  readonly a: number;
  readonly aRow: number;
  readonly aInner: number;
  /** Rows of B and C follow one another, `bRow` and `cRow` apart. */
  readonly b: number;
  readonly bRow: number;
  readonly c: number;
  readonly cRow: number;
}

type Add = (product: Product) => void;

let made: Add | undefined, memory: WebAssembly.Memory | undefined;
const theMemory = (): WebAssembly.Memory =>
  memory ??= new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES });

/** The memory that blocks are in, with at least so many bytes: what was got before may not be it any more. */
export function blockMemory(bytes: number): Float32Array<ArrayBuffer> {
  const memory = theMemory(), missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
  if (missing > 0) memory.grow(missing);
  return new Float32Array(memory.buffer as ArrayBuffer);
}

/** C ← C + A B. */
export const addBlocks: Add = (product) => (made ??= create())(product);

/** The function's parameters, in their order, and its counters and places. */
const PARAMS = ["rows", "cols", "inner", "a", "aRow", "aInner", "b", "bRow", "c", "cRow"] as const;
const LOCALS = ["i", "j", "k", "aAt", "aNow", "aElement", "bNow", "cAt", "cNow"] as const;
type Name = typeof PARAMS[number] | typeof LOCALS[number];
const names: readonly Name[] = [...PARAMS, ...LOCALS];
const local = (name: Name): number => names.indexOf(name);
const x = (name: Name): Code => get(local(name));

function create(): Add {
  const sum = (r: number, v: number): number => names.length + r * VECTORS + v;
  const row = (v: number): number => sum(TILE.rows, v), one = sum(TILE.rows + 1, 0);
  const rows = [...Array(TILE.rows).keys()], vectors = [...Array(VECTORS).keys()];
  const atColumn = (from: Name): Code => i32.add(x(from), i32.shl(x("j"), i32.of(2)));
  /** Every vector of the tile in C. */
  const inC = (f: (r: number, v: number) => Code): Code => [
    set(local("cNow"), atColumn("cAt")),
    rows.map((r) => [vectors.map((v) => f(r, v)), bump(local("cNow"), x("cRow"))]),
  ];
  const step: Code = [
    vectors.map((v) => set(row(v), v128.load(x("bNow"), 16 * v))),
    set(local("aElement"), x("aNow")),
    rows.map((r) => [
      set(one, v128.splat32(x("aElement"))),
      vectors.map((v) =>
        set(sum(r, v), f32x4.add(get(sum(r, v)), f32x4.mul(get(one), get(row(v)))))
      ),
      bump(local("aElement"), x("aRow")),
    ]),
    bump(local("aNow"), x("aInner")),
    bump(local("bNow"), x("bRow")),
  ];
  const tile: Code = [
    inC((r, v) => set(sum(r, v), v128.load(x("cNow"), 16 * v))),
    set(local("aNow"), x("aAt")),
    set(local("bNow"), atColumn("b")),
    loop(local("k"), i32.of(0), x("inner"), 1, step),
    inC((r, v) => v128.store(x("cNow"), get(sum(r, v)), 16 * v)),
  ];
  const body: Code = [
    set(local("aAt"), x("a")),
    set(local("cAt"), x("c")),
    loop(local("i"), i32.of(0), x("rows"), TILE.rows, [
      loop(local("j"), i32.of(0), x("cols"), TILE.cols, tile),
      bump(local("aAt"), i32.mul(x("aRow"), i32.of(TILE.rows))),
      bump(local("cAt"), i32.mul(x("cRow"), i32.of(TILE.rows))),
    ]),
  ];
  const vectorLocals = (TILE.rows + 1) * VECTORS + 1;
  const params = PARAMS.map(() => I32);
  const locals = [...LOCALS.map(() => I32), ...Array<number>(vectorLocals).fill(V128)];
  const limits = { maximum: MOST_PAGES, shared: false, wide: false };
  const module = new WebAssembly.Module(encodeModule([encoded({ params, locals, body })], limits));
  const { run } = new WebAssembly.Instance(module, { env: { memory: theMemory() } }).exports as {
    readonly run: (...all: number[]) => void;
  };
  return (product) => run(...PARAMS.map((name) => product[name]));
}
