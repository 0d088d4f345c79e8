/**
 * Writes digits.ts: `deno run core/shape/digits_gen.ts > core/shape/digits.ts`.
 *
 * @module
 */
const digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

function rows(of: (a: number, b: number) => number, depth: string): string {
  const row = (a: number): string => {
    const cells = digits.map((b) => `"${String(of(a, b)).padStart(2, "0")}"`);
    return `${depth}[${cells.join(", ")}],\n`;
  };
  return digits.map(row).join("");
}

function table(
  planes: readonly number[],
  of: (plane: number, a: number, b: number) => number,
): string {
  const plane = (p: number): string => `  [\n${rows((a, b) => of(p, a, b), "    ")}  ],\n`;
  return `[\n${planes.map(plane).join("")}];`;
}

/** The text of digits.ts. */
export function digitTables(): string {
  return `/**
 * Tables of one-digit arithmetic, written by digits_gen.ts. A cell is "<carry><digit>".
 *
 * @module
 */

/** AddTable[carry][a][b] is a + b + carry. */
export type AddTable = ${table([0, 1], (carry, a, b) => a + b + carry)}

/** SubTable[borrow][a][b] is a - b - borrow, the carry being the next borrow. */
export type SubTable = ${
    table([0, 1], (borrow, a, b) => a - b - borrow < 0 ? a - b - borrow + 20 : a - b - borrow)
  }

/** MulTable[carry][a][b] is a * b + carry. */
export type MulTable = ${table(digits, (carry, a, b) => a * b + carry)}
`;
}

if (import.meta.main) console.log(digitTables().trimEnd());
