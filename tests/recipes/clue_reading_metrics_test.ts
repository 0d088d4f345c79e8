/** Metrics of reading and of names against counts made in another way, and decoding against looking at everything. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { assign } from "../../recipes/clue/assign.ts";
import { bestSpan } from "../../recipes/clue/best_span.ts";
import { cmrcScores, spanF1, spanMatch } from "../../recipes/clue/metrics/cmrc.ts";
import { entityF1 } from "../../recipes/clue/metrics/entity_f1.ts";
import { treebankWords } from "../../recipes/clue/metrics/treebank_words.ts";
import { fullestWindow, STRIDE, windowsOf } from "../../recipes/clue/windows.ts";
import { fc } from "../property.ts";

/** What CMRC's judge takes out. */
const MARKS = "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』";
const escaped = MARKS.replace(/[\\^\]-]/g, "\\$&");

/** EM and F1 as the judge's text says, by regular expressions and by all substrings; words between Chinese are cut at spaces alone. */
function judged(answer: string, right: string): { readonly em: boolean; readonly f1: number } {
  const bare = (text: string) =>
    text.toLowerCase().trim().replace(new RegExp(`[${escaped}]`, "g"), "");
  const cut = (text: string) => bare(text).match(/[\u4e00-\u9fa5]|[^\u4e00-\u9fa5\s]+/g) ?? [];
  const [own, other] = [cut(answer), cut(right)];
  let common = 0;
  for (let i = 0; i < own.length; i++) {
    for (let j = i + 1; j <= own.length; j++) {
      const part = own.slice(i, j),
        found = other.some((_, k) => part.every((x, n) => other[k + n] === x));
      if (found) common = Math.max(common, j - i);
    }
  }
  const [p, r] = [common / own.length, common / other.length];
  return { em: bare(answer) === bare(right), f1: common ? 2 * p * r / (p + r) : 0 };
}

const letter = fc.constantFrom(..."天地人天地人，。·ab1 A-……’");
const text = fc.array(letter, { minLength: 1, maxLength: 9 }).map((all) => all.join(""));

Deno.test("EM and F1 of CMRC 2018 are those of its judge's rules on 2,000 random answers", () => {
  const seen = { em: 0, part: 0 };
  fc.assert(
    fc.property(text, fc.array(text, { minLength: 1, maxLength: 3 }), (answer, right) => {
      const all = right.map((one) => judged(answer, one));
      const want = { em: all.some(({ em }) => em), f1: Math.max(...all.map(({ f1 }) => f1)) };
      assertEquals(spanMatch(answer, right), want.em);
      assertAlmostEquals(spanF1(answer, right), want.f1, 1e-12);
      if (want.em) seen.em++;
      if (want.f1 > 0 && want.f1 < 1) seen.part++;
    }),
    { numRuns: 2000 },
  );
  assert(seen.em > 20 && seen.part > 500, JSON.stringify(seen));
});

Deno.test("EM and F1 of CMRC 2018 on cases worked by hand", () => {
  assert(spanMatch("《红楼梦》", ["红楼梦", "x"]));
  assert(spanMatch(" Port-Royal", ["portroyal"]));
  // Spaces count, and "…" is no mark to the judge.
  assert(!spanMatch("port royal", ["portroyal"]) && !spanMatch("完…", ["完"]));
  assertEquals(spanF1("在北京大学", ["北京"]), 4 / 7);
  // The longest common stretch counts, not all that is common.
  assertEquals(spanF1("北京和大学", ["北京大学"]), 4 / 9);
  assertEquals(spanF1("1862年", ["1863年", "862年"]), 1 / 2);
  assertEquals(spanF1("", ["北"]), 0);
  const { em, f1 } = cmrcScores(["北京", "天"], [["北京"], ["地", "天地"]]);
  assertEquals(em, 50);
  assertAlmostEquals(f1, 250 / 3, 1e-9);
});

Deno.test("words between Chinese are those of the Penn Treebank", () => {
  const cases: Readonly<Record<string, string>> = {
    "uss port royal cg 73": "uss port royal cg 73",
    "3.5% of 1,000": "3.5 % of 1,000",
    "mr. smith left.": "mr. smith left .",
    "u.s.a.": "u.s.a .",
    "it's john's, they don't": "it 's john 's , they do n't",
    'the "best" (of 2)': "the `` best '' ( of 2 )",
    "wait... what?!": "wait ... what ? !",
    "cannot a--b; c": "can not a -- b ; c",
    "rock 'n' roll": "rock 'n ' roll",
    "a:b 1:2 a,b": "a : b 1:2 a , b",
    "wanna go, 'tis gonna-d'ye": "wan na go , 't is gon na - d 'ye",
    "wanna-b cannoté": "wanna-b cannoté",
    "": "",
  };
  for (const [text, words] of Object.entries(cases)) {
    assertEquals(treebankWords(text).join(" "), words, text);
  }
});

Deno.test("F1 of names is that of sets of (text, surface) pairs on 1,000 random cases", () => {
  const types = ["a", "b", "c"], surface = fc.constantFrom(..."甲乙丙丁");
  const one = fc.dictionary(fc.constantFrom(...types), fc.array(surface, { maxLength: 4 }));
  const all = fc.array(fc.tuple(one, one), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(all, (pairs) => {
      const f1s = types.flatMap((type) => {
        const of = (
          side: 0 | 1,
        ) => [
          ...new Set(pairs.flatMap((pair, i) => (pair[side][type] ?? []).map((s) => `${i} ${s}`))),
        ];
        const [said, right] = [of(0), of(1)],
          both = said.filter((one) => right.includes(one)).length;
        if (said.length + right.length === 0) return [];
        const [p, r] = [both / said.length, both / right.length];
        return [both === 0 ? 0 : 2 * p * r / (p + r)];
      });
      const want = f1s.length ? 100 * f1s.reduce((a, b) => a + b) / f1s.length : 100;
      assertAlmostEquals(
        entityF1(pairs.map(([a]) => a), pairs.map(([, b]) => b), types),
        want,
        1e-9,
      );
    }),
    { numRuns: 1000 },
  );
});

const room = fc.integer({ min: 1, max: 300 });

Deno.test("windows cover a text, each begins a stride after the one before, the last ends with the text", () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 900 }), room, (count, room) => {
      const windows = windowsOf(count, room);
      assertEquals(windows[0]!.start, 0);
      assertEquals(windows.at(-1)!.start + windows.at(-1)!.length, count);
      windows.forEach(({ start, length }, i) => {
        assert(length >= 1 && length <= room);
        if (i > 0) assertEquals(start - windows[i - 1]!.start, Math.min(room, STRIDE));
      });
      for (let token = 0; token < count; token++) {
        // By all windows: the least distance to an end, the longer window where it is the same, the first one then.
        const rank = windows.map(({ start, length }) => {
          const near = Math.min(token - start, start + length - 1 - token);
          return near < 0 ? -1 : near + 0.01 * length;
        });
        assertEquals(fullestWindow(windows, token), rank.indexOf(Math.max(...rank)));
      }
    }),
    { numRuns: 60 },
  ));

const score = fc.integer({ min: -9, max: 9 });

Deno.test("bestSpan() is the best of all spans that are allowed", () => {
  const scores = fc.array(score, { minLength: 12, maxLength: 12 });
  const window = fc.record({
    starts: scores,
    ends: scores,
    from: fc.integer({ min: 1, max: 5 }),
    to: fc.integer({ min: 4, max: 12 }),
    odd: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(window, { maxLength: 4 }), (windows) => {
      const own = windows.map(({ starts, ends, from, to, odd }) => ({
        starts: Float32Array.from(starts),
        ends: Float32Array.from(ends),
        ...{ from, to },
        mayStart: (token: number) => token % 2 === Number(odd),
      }));
      let best = -Infinity;
      for (const { starts, ends, from, to, mayStart } of own) {
        for (let s = from; s < to; s++) {
          for (let e = s; e < to; e++) {
            if (mayStart(s)) best = Math.max(best, starts[s]! + ends[e]!);
          }
        }
      }
      const found = bestSpan(own);
      assertEquals(found?.score ?? -Infinity, best);
      if (!found) return;
      const { starts, ends, from, to, mayStart } = own[found.window]!;
      assertEquals(starts[found.start]! + ends[found.end]!, best);
      assert(
        found.start >= from && found.end < to && found.start <= found.end && mayStart(found.start),
      );
    }),
    { numRuns: 500 },
  );
});

Deno.test("bestSpan() looks at 20 starts and ends, and at 50 tokens at most", () => {
  const T = 120, all = { from: 0, to: T, mayStart: () => true };
  const at = (...peaks: readonly (readonly [number, number])[]) => {
    const scores = new Float32Array(T);
    for (const [t, x] of peaks) scores[t] = x;
    return scores;
  };
  const far = bestSpan([{ ...all, starts: at([10, 9]), ends: at([60, 9], [59, 5]) }]);
  assertEquals([far?.start, far?.end], [10, 59]);
  // Twenty ends before the only good start outdo the one after it.
  const early = Array.from({ length: 20 }, (_, t) => [t, 8] as const);
  const none = bestSpan([{ ...all, starts: at([70, 9]), ends: at(...early, [75, 7]) }]);
  assert(none!.start < 20 && none!.end < 20);
});

Deno.test("assign() takes the greatest of what is left, again and again", () => {
  const matrix = fc.integer({ min: 1, max: 6 }).chain((K) =>
    fc.array(fc.array(score, { minLength: K, maxLength: K }), { minLength: 1, maxLength: K })
  );
  fc.assert(
    fc.property(matrix, (rows) => {
      const found = assign(rows.map((row) => Float32Array.from(row)));
      assertEquals(new Set(found).size, rows.length);
      const left = rows.map((row) => [...row]), want: number[] = Array(rows.length);
      for (let n = 0; n < rows.length; n++) {
        const top = Math.max(...left.flat());
        // Of equals the first idiom, then the first blank.
        const k = left[0]!.findIndex((_, k) => left.some((row) => row[k] === top));
        const b = left.findIndex((row) => row[k] === top);
        want[b] = k;
        left[b]!.fill(-Infinity);
        for (const row of left) row[k] = -Infinity;
      }
      assertEquals(found, want);
    }),
    { numRuns: 500 },
  );
  assertEquals(assign([Float32Array.of(1, 2), Float32Array.of(3, 1), Float32Array.of(0, 1)]), [
    1,
    0,
    1,
  ]);
});
