/**
 * Marks in a text around what is asked about.
 *
 * @module
 */

/** Characters from `start` to before `end`, and what is put around them. Units: code points. */
export interface Mark {
  readonly start: number;
  readonly end: number;
  readonly open: string;
  readonly close: string;
}

/**
 * A text with marks put in, so that every mark stands right at its characters, before or behind which the others begin and end. For two spans
 * that do not overlap this is what CLUE's baseline does by four insertions; one span within another keeps its marks within the other's.
 *
 * Source: `WscProcessor` in CLUE's baselines/models_pytorch/classifier_pytorch/processors/clue.py.
 */
export function markSpans(text: string, marks: readonly Mark[]): string {
  const characters = [...text];
  const at = (i: number): string => {
    const closing = marks.filter(({ end }) => end === i).sort((a, b) => b.start - a.start);
    const opening = marks.filter(({ start }) => start === i).sort((a, b) => b.end - a.end);
    return closing.map(({ close }) => close).join("") + opening.map(({ open }) => open).join("");
  };
  return characters.map((c, i) => at(i) + c).join("") + at(characters.length);
}
