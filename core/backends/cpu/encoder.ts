/**
 * WebAssembly as bytes. Code is nested arrays, so instructions compose as plain expressions: `i32.add(get(p), i32.of(4))`.
 *
 * @module
 */

/** Bytes, nested as they were composed. */
export type Code = number | Uint8Array | readonly Code[];

/** Value types. */
export const I32 = 0x7f, I64 = 0x7e, V128 = 0x7b;
const EMPTY = 0x40;

/** A growing run of bytes. */
interface Sink {
  bytes: Uint8Array;
  length: number;
}

function put(sink: Sink, code: Code): void {
  if (typeof code === "number") {
    if (sink.length === sink.bytes.length) grow(sink, 1);
    sink.bytes[sink.length++] = code;
  } else if (code instanceof Uint8Array) {
    if (sink.length + code.length > sink.bytes.length) grow(sink, code.length);
    sink.bytes.set(code, sink.length);
    sink.length += code.length;
  } else {
    for (let i = 0; i < code.length; i++) put(sink, code[i]!);
  }
}

function grow(sink: Sink, by: number): void {
  const larger = new Uint8Array(2 * (sink.bytes.length + by));
  larger.set(sink.bytes);
  sink.bytes = larger;
}

/** The bytes in a row. */
export function flatten(code: Code): Uint8Array<ArrayBuffer> {
  const sink: Sink = { bytes: new Uint8Array(256), length: 0 };
  put(sink, code);
  return sink.bytes.slice(0, sink.length);
}

/** LEB128 of an unsigned number. */
export function unsigned(n: number): Code {
  const out: number[] = [];
  for (let v = n >>> 0;; v >>>= 7) {
    if (v < 0x80) return [...out, v];
    out.push((v & 0x7f) | 0x80);
  }
}

/** LEB128 of a signed 32-bit number. */
export function signed(n: number): Code {
  const out: number[] = [];
  for (let v = n | 0;; v >>= 7) {
    if (v >= -64 && v < 64) return [...out, v & 0x7f];
    out.push((v & 0x7f) | 0x80);
  }
}

/** LEB128 of a signed whole number of up to 53 bits. */
function signedWide(n: number): Code {
  const out: number[] = [];
  for (let v = n;; v = Math.floor(v / 128)) {
    const low = ((v % 128) + 128) % 128;
    if (v >= -64 && v < 64) return [...out, low];
    out.push(low | 0x80);
  }
}

// ---- control ---------------------------------------------------------------------------------

/** Instructions with a local's number, made once: they are most of the code. */
function numbered(instruction: number): (local: number) => Code {
  const made: Code[] = [];
  return (local) => made[local] ??= [...flatten([instruction, unsigned(local)])];
}
export const get: (local: number) => Code = numbered(0x20);
const pop: (local: number) => Code = numbered(0x21);
export const set = (local: number, value: Code): Code => [value, pop(local)];
export const call = (f: number, ...args: Code[]): Code => [args, 0x10, unsigned(f)];
/** Runs `yes` where the condition is not 0, else `no`. */
export const when = (condition: Code, yes: Code, no?: Code): Code => [
  condition,
  [0x04, EMPTY],
  yes,
  no === undefined ? [] : [0x05, no],
  0x0b,
];
/** for (l = from; l < to; l += step) body; `to` is evaluated every time. Numbers are unsigned, of the given type. */
export function loop(
  l: number,
  from: Code,
  to: Code,
  step: number,
  body: Code,
  type: Integers = i32,
): Code {
  return [
    set(l, from),
    [0x02, EMPTY],
    [type.geU(get(l), to), 0x0d, 0],
    [0x03, EMPTY],
    body,
    bump(l, type.of(step), type),
    [type.ltU(get(l), to), 0x0d, 0],
    [0x0b, 0x0b],
  ];
}
/** while (condition) body */
export const repeat = (condition: Code, body: Code): Code => [
  [0x02, EMPTY, 0x03, EMPTY],
  [condition, 0x45, 0x0d, 1],
  body,
  [0x0c, 0, 0x0b, 0x0b],
];
/** l += by */
export const bump = (l: number, by: Code, type: Integers = i32): Code =>
  set(l, type.add(get(l), by));

// ---- scalars ---------------------------------------------------------------------------------

const op = (code: number) => (a: Code, b: Code): Code => [a, b, code];
const memory = (...code: number[]) => (p: Code, offset = 0): Code => [p, code, unsigned(offset)];
const store = (...code: number[]) => (p: Code, v: Code, offset = 0): Code => [
  p,
  v,
  code,
  unsigned(offset),
];
/** What loops and addresses need of a type of whole numbers. */
export interface Integers {
  of(v: number): Code;
  add(a: Code, b: Code): Code;
  sub(a: Code, b: Code): Code;
  mul(a: Code, b: Code): Code;
  shl(a: Code, bits: Code): Code;
  shrU(a: Code, bits: Code): Code;
  ltU(a: Code, b: Code): Code;
  geU(a: Code, b: Code): Code;
  /** Reads one, at an address of the memory's type. */
  load(p: Code, offset?: number): Code;
}
export const i64: Integers = {
  of: (v) => [0x42, signedWide(v)],
  load: memory(0x29, 3),
  add: op(0x7c),
  sub: op(0x7d),
  mul: op(0x7e),
  shl: op(0x86),
  shrU: op(0x88),
  ltU: op(0x54),
  geU: op(0x5a),
};
export const i32 = {
  of: (v: number): Code => [0x41, signed(v)],
  load: memory(0x28, 2),
  load16: memory(0x2f, 1),
  store: store(0x36, 2),
  store16: store(0x3b, 1),
  add: op(0x6a),
  sub: op(0x6b),
  mul: op(0x6c),
  divU: op(0x6e),
  remU: op(0x70),
  and: op(0x71),
  or: op(0x72),
  shl: op(0x74),
  shrU: op(0x76),
  eq: op(0x46),
  ltS: op(0x48),
  ltU: op(0x49),
  geU: op(0x4f),
  /** The smaller of two unsigned numbers; both are evaluated twice. */
  minU: (a: Code, b: Code): Code => [a, b, a, b, 0x49, 0x1b],
};
/** Single floats. */
export const f32 = {
  load: memory(0x2a, 2),
  store: store(0x38, 2),
  add: op(0x92),
  mul: op(0x94),
};

// ---- vectors ---------------------------------------------------------------------------------

/** A vector instruction, by its number. */
const simd = (code: number): Code => [...flatten([0xfd, unsigned(code)])];
function v1(code: number): (a: Code) => Code {
  const bytes = simd(code);
  return (a) => [a, bytes];
}
function v2(code: number): (a: Code, b: Code) => Code {
  const bytes = simd(code);
  return (a, b) => [a, b, bytes];
}
function v3(code: number): (a: Code, b: Code, c: Code) => Code {
  const bytes = simd(code);
  return (a, b, c) => [a, b, c, bytes];
}
const vLoad = (code: number) => (p: Code, offset = 0): Code => [p, simd(code), 0, unsigned(offset)];
const lane = (code: number) => (p: Code, v: Code, lane: number, offset = 0): Code => [
  p,
  v,
  simd(code),
  [0, unsigned(offset), lane],
];
/** The 16 bytes of four words. */
const words = (v: readonly number[]): Code => new Uint8Array(new Int32Array(v).buffer);

export const v128 = {
  load: vLoad(0x00),
  /** Two words, then zeros. */
  load2: vLoad(0x5d),
  /** One word, then zeros. */
  load1: vLoad(0x5c),
  splat32: vLoad(0x09),
  splat16: vLoad(0x08),
  load32Lane: lane(0x56),
  load16Lane: lane(0x55),
  store: (p: Code, v: Code, offset = 0): Code => [p, v, simd(0x0b), 0, unsigned(offset)],
  store64Lane: lane(0x5b),
  store32Lane: lane(0x5a),
  store16Lane: lane(0x59),
  i32: (...v: number[]): Code => [simd(0x0c), words(v)],
  splat: (v: Code): Code => [v, simd(0x11)],
  shuffle: (a: Code, b: Code, lanes: readonly number[]): Code => [
    a,
    b,
    simd(0x0d),
    lanes.flatMap((l) => [0, 1, 2, 3].map((k) => 4 * l + k)),
  ],
  not: v1(0x4d),
  and: v2(0x4e),
  /** a & ~b */
  andNot: v2(0x4f),
  or: v2(0x50),
  xor: v2(0x51),
  /** Bits of a where the mask is set, of b elsewhere. */
  bitselect: v3(0x52),
};
export const f32x4 = {
  eq: v2(0x41),
  ne: v2(0x42),
  gt: v2(0x44),
  ge: v2(0x46),
  ceil: v1(0x67),
  floor: v1(0x68),
  nearest: v1(0x6a),
  abs: v1(0xe0),
  neg: v1(0xe1),
  sqrt: v1(0xe3),
  add: v2(0xe4),
  sub: v2(0xe5),
  mul: v2(0xe6),
  div: v2(0xe7),
  min: v2(0xe8),
  max: v2(0xe9),
  /** b < a ? b : a, one instruction on x86. */
  pmin: v2(0xea),
  /** a < b ? b : a */
  pmax: v2(0xeb),
  fromI32: v1(0xfa),
  fromU32: v1(0xfb),
  /** Toward zero; saturates, NaN to 0. */
  toI32: v1(0xf8),
  toU32: v1(0xf9),
  /** Without the promise for what does not fit. */
  relaxedToI32: v1(0x101),
  relaxedMadd: v3(0x105),
  /** c - a * b */
  relaxedNmadd: v3(0x106),
};
export const i32x4 = {
  eq: v2(0x37),
  ne: v2(0x38),
  gtS: v2(0x3b),
  gtU: v2(0x3c),
  geS: v2(0x3f),
  geU: v2(0x40),
  abs: v1(0xa0),
  neg: v1(0xa1),
  shl: (a: Code, bits: Code): Code => [a, bits, simd(0xab)],
  shrS: (a: Code, bits: Code): Code => [a, bits, simd(0xac)],
  shrU: (a: Code, bits: Code): Code => [a, bits, simd(0xad)],
  add: v2(0xae),
  sub: v2(0xb1),
  mul: v2(0xb5),
  minS: v2(0xb6),
  minU: v2(0xb7),
  maxS: v2(0xb8),
  maxU: v2(0xb9),
  /** The low four of eight 16-bit numbers. */
  widenU16: v1(0xa9),
  /** Four words to 16 bits each, saturating; twice. */
  narrowU16: (a: Code): Code => [a, i32x4Zero, simd(0x86)],
  lane: (a: Code, lane: number): Code => [a, simd(0x1b), lane],
  withLane: (a: Code, lane: number, v: Code): Code => [a, v, simd(0x1c), lane],
  relaxedSelect: v3(0x10b),
};
const i32x4Zero: Code = v128.i32(0, 0, 0, 0);
/** Two doubles: what integer division and remainders are computed in. */
export const f64x2 = {
  fromLowF32: v1(0x5f),
  toF32: v1(0x5e),
  fromLowU32: v1(0xff),
  trunc: v1(0x7a),
  sub: v2(0xf1),
  mul: v2(0xf2),
  div: v2(0xf3),
  toU32: v1(0xfd),
};

// ---- modules ---------------------------------------------------------------------------------

/** A function without a result; `params` and `locals` are value types. */
export interface Fn {
  readonly params: readonly number[];
  readonly locals: readonly number[];
  readonly body: Code;
}
/** The bytes of one function as they stand in a module; they depend on nothing outside it but function numbers. */
export function encodeFunction(f: Fn): Uint8Array<ArrayBuffer> {
  const code = flatten([unsigned(f.locals.length), f.locals.map((t) => [1, t]), f.body, 0x0b]);
  return flatten([unsigned(code.length), code]);
}

/** A function ready for a module. */
export interface Encoded {
  readonly params: readonly number[];
  readonly bytes: Uint8Array;
}

export function encoded(f: Fn): Encoded {
  return { params: f.params, bytes: encodeFunction(f) };
}

/** How modules import their memory. */
export interface MemoryLimits {
  /** Pages. */
  readonly maximum: number;
  readonly shared: boolean;
  /** Addresses are 64-bit. */
  readonly wide: boolean;
}

/** A function that a module is given: they come first, in the numbers that `call` takes. */
export interface Imported {
  readonly name: string;
  readonly params: readonly number[];
}

/** A module over one imported memory; its last function is exported as "run". */
export function encodeModule(
  fns: readonly Encoded[],
  { shared, wide, maximum }: MemoryLimits,
  imports: readonly Imported[] = [],
): Uint8Array<ArrayBuffer> {
  const signature = (f: Pick<Encoded, "params">): string => f.params.join();
  const types = [...new Map([...imports, ...fns].map((f) => [signature(f), f])).values()];
  const at = new Map(types.map((f, i) => [signature(f), i]));
  return flatten([
    [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, [
      unsigned(types.length),
      types.map((f) => [0x60, unsigned(f.params.length), f.params, 0]),
    ]),
    section(2, [
      unsigned(1 + imports.length),
      [text("env"), text("memory"), 2],
      [1 + (shared ? 2 : 0) + (wide ? 4 : 0), unsigned(1), unsigned(maximum)],
      imports.map((f) => [text("env"), text(f.name), 0, unsigned(at.get(signature(f))!)]),
    ]),
    section(3, [unsigned(fns.length), fns.map((f) => unsigned(at.get(signature(f))!))]),
    section(7, [1, text("run"), 0, unsigned(imports.length + fns.length - 1)]),
    section(10, [unsigned(fns.length), fns.map((f) => f.bytes)]),
  ]);
}

function section(id: number, body: Code): Code {
  const bytes = flatten(body);
  return [id, unsigned(bytes.length), bytes];
}

function text(s: string): Code {
  return [unsigned(s.length), new TextEncoder().encode(s)];
}
