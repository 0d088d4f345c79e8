/** Attention by the letter of its formula: a double loop over pairs, in double precision, nothing shared with nn's own code but the scheme. */
import type { Scheme } from "../../nn/mod.ts";

/** A named array of numbers with a shape. */
export interface Table {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}
/** Parameters by name. */
export type Tables = Readonly<Record<string, Table>>;

function at({ shape, data }: Table, ...index: number[]): number {
  return data[index.reduce((offset, i, axis) => offset * shape[axis]! + i, 0)]!;
}

/** Sinusoid c of `width` at a position. */
function sinusoidAt(position: number, c: number, width: number, halves: boolean): number {
  const m = halves ? c % (width / 2) : Math.floor(c / 2);
  const angle = position / Math.pow(10000, 2 * m / width);
  const sine = halves ? c < width / 2 : c % 2 === 0;
  return sine ? Math.sin(angle) : Math.cos(angle);
}

/** The bucket of a pair. */
function rowOf(scheme: Scheme, i: number, j: number, T: number): number {
  if (scheme.ownCls && i === 0) return scheme.bucket.size(T);
  if (scheme.ownCls && j === 0) return scheme.bucket.size(T) + 1;
  return scheme.bucket.of(j - i, T);
}

/** What attention reads. */
export interface Case {
  readonly scheme: Scheme;
  readonly own: Tables;
  readonly shared: Tables;
  readonly x: Table;
  readonly keep?: Table;
  readonly segments?: Table;
}

/** Output [B, T, C], row by row. */
export function bruteForce({ scheme, own, shared, x, keep, segments }: Case): number[] {
  const [B, T, C] = x.shape as [number, number, number];
  const [, H, K] = own.wq!.shape as [number, number, number];
  const sum = (n: number, f: (i: number) => number): number => {
    let s = 0;
    for (let i = 0; i < n; i++) s += f(i);
    return s;
  };
  const project = (w: Table, b: Table, batch: number, t: number, h: number, k: number): number =>
    sum(C, (c) => at(x, batch, t, c) * at(w, c, h, k)) + at(b, h, k);

  const halves = scheme.rows === "sinusoid-halves", fixed = scheme.rows.startsWith("sinusoid");
  /** Component c of the shared row r (as wide as the model). */
  const wide = (r: number, c: number): number => {
    if (!fixed) return at(shared.rows!, r, c);
    if (r >= scheme.bucket.size(T)) return 0;
    return sinusoidAt(scheme.bucket.offset(r, T) * (halves ? -1 : 1), c, C, halves);
  };
  /** Component k of row r as head h sees it in one term. */
  const rowAs =
    (kind: string, projection: Table | undefined, table?: Table, bias?: Table) =>
    (r: number, h: number, k: number): number => {
      if (kind === "projected") {
        return sum(C, (c) => wide(r, c) * at(projection!, c, h, k)) + (bias ? at(bias, h, k) : 0);
      }
      if (table) return at(table, r, k);
      return r >= scheme.bucket.size(T) ? 0 : sinusoidAt(r, k, K, false);
    };
  const ofContent = scheme.projections === "content";
  const keyRow = ofContent
    ? rowAs(scheme.keySide, own.wk, undefined, own.bk)
    : rowAs(scheme.keySide, own.keyRows, own.keyTable);
  const queryRow = ofContent
    ? rowAs(scheme.querySide, own.wq, undefined, own.bq)
    : rowAs(scheme.querySide, own.queryRows);
  const valueRow = ofContent
    ? rowAs(scheme.valueSide, own.wv)
    : rowAs(scheme.valueSide, own.valueRows, own.valueTable);
  const terms = 1 + Number(scheme.keySide !== "off") + Number(scheme.querySide !== "off") +
    Number(scheme.absolute > 0);
  const scale = scheme.scale === "one" ? 1 : Math.sqrt(K * (scheme.scale === "terms" ? terms : 1));
  const extra = (t: Table | undefined, h: number, k: number): number => t ? at(t, h, k) : 0;

  /** (p_i U_Q) · (p_j U_K). */
  const absolute = (h: number, i: number, j: number): number => {
    const p = (t: number): number[] => {
      const row = Array.from({ length: C }, (_, c) => at(shared["absolute.table"]!, t, c));
      const mean = sum(C, (c) => row[c]!) / C;
      const deviation = Math.sqrt(sum(C, (c) => (row[c]! - mean) ** 2) / C + 1e-5);
      return row.map((v, c) =>
        (v - mean) / deviation * at(shared["absolute.norm.gain"]!, c) +
        at(shared["absolute.norm.bias"]!, c)
      );
    };
    const [pi, pj] = [p(i), p(j)];
    return sum(K, (k) =>
      sum(C, (c) => pi[c]! * at(shared["absolute.wq"]!, c, h, k)) *
      sum(C, (c) => pj[c]! * at(shared["absolute.wk"]!, c, h, k)));
  };

  const out = new Array<number>(B * T * C).fill(0);
  for (let b = 0; b < B; b++) {
    const head = (w: Table, bias: Table) =>
      Array.from(
        { length: H },
        (_, h) =>
          Array.from({ length: T }, (_, t) =>
            Array.from({ length: K }, (_, k) => project(w, bias, b, t, h, k))),
      );
    const q = head(own.wq!, own.bq!), key = head(own.wk!, own.bk!), v = head(own.wv!, own.bv!);
    for (let i = 0; i < T; i++) {
      const mixed: number[][] = [];
      for (let h = 0; h < H; h++) {
        const scores: number[] = [];
        for (let j = 0; j < T; j++) {
          const r = rowOf(scheme, i, j, T);
          const same = segments && at(segments, b, i) === at(segments, b, j) ? 1 : 0;
          let s = sum(K, (k) => (q[h]![i]![k]! + extra(own.u, h, k)) * key[h]![j]![k]!);
          if (scheme.keySide !== "off") {
            s += sum(K, (k) => (q[h]![i]![k]! + extra(own.w, h, k)) * keyRow(r, h, k));
          }
          if (scheme.querySide !== "off") s += sum(K, (k) => key[h]![j]![k]! * queryRow(r, h, k));
          if (own.segment && segments) {
            s += sum(K, (k) => (q[h]![i]![k]! + extra(own.z, h, k)) * at(own.segment!, same, h, k));
          }
          const cls = scheme.ownCls && (i === 0 || j === 0);
          if (scheme.absolute > 0 && !cls) s += absolute(h, i, j);
          s /= scale;
          if (scheme.bias) s += at(shared.bias!, r, h);
          if (shared.segmentBias && segments) s += at(shared.segmentBias, same, h);
          if (keep && at(keep, b, j) === 0) s -= 1e9;
          scores.push(s);
        }
        const top = Math.max(...scores), e = scores.map((s) => Math.exp(s - top));
        const total = e.reduce((a, c) => a + c, 0);
        mixed.push(Array.from({ length: K }, (_, k) =>
          sum(T, (j) => {
            const term = scheme.valueSide === "off" ? 0 : valueRow(rowOf(scheme, i, j, T), h, k);
            return e[j]! / total * (v[h]![j]![k]! + term);
          })));
      }
      for (let c = 0; c < C; c++) {
        out[(b * T + i) * C + c] = at(own.bo!, c) +
          sum(H, (h) => sum(K, (k) => mixed[h]![k]! * at(own.wo!, h, k, c)));
      }
    }
  }
  return out;
}
