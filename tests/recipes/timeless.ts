/** Rows of a run without what a clock says: the rest is the same, to the bit, however often the run was stopped. */
export function timeless(rows: readonly Readonly<Record<string, unknown>>[]): unknown {
  return rows.map(({ elapsed_s: _e, tokens_per_s: _t, stall_s: _s, exchange_s: _x, ...rest }) =>
    rest
  );
}
