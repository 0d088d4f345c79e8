/** Click logs, position bias, losses and metrics against plain definitions. */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { fromArray, grad, read, size, type Tensor } from "../../core/mod.ts";
import type { Impression } from "../../recipes/click/impression.ts";
import { clickLosses, type ClickLossName, type Clicks } from "../../recipes/click/losses.ts";
import { auc, logLoss, ndcg, positiveNegativeRatio } from "../../recipes/click/metrics.ts";
import { estimatePropensities, inversePropensity } from "../../recipes/click/propensity.ts";
import { readImpressions } from "../../recipes/click/read_impressions.ts";
import { CLICK_MODEL, propensitiesOf, simulateClicks } from "../../recipes/click/simulate.ts";
import { InputError } from "../../recipes/cli/input_error.ts";
import { draws } from "../../recipes/masking/counter_random.ts";
import { smallCorpus } from "./small_corpus.ts";
import { fc } from "../property.ts";

async function withFile<T>(name: string, text: string, test: (path: string) => Promise<T>) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    return await test(`${folder}/${name}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const doc = (title: string, rank: number, click: 0 | 1) => ({ title, rank, click });
const line = (query: unknown, docs: unknown): string => JSON.stringify({ query, docs });

Deno.test("impressions and pairs are read, in JSON lines and in tables", async () => {
  const one = line("词", [doc("乙", 2, 1), { ...doc("甲", 1, 0), dwell: 3.5 }]);
  const pairs = [
    JSON.stringify({ query: "问", title: "丙", clicked: 1 }),
    JSON.stringify({ query: "问", title: "丁", clicked: 0 }),
    JSON.stringify({ query: "答", title: "丙", clicked: 0 }),
  ];
  await withFile("a.jsonl", [one, ...pairs].join("\n"), async (path) => {
    const { impressions, skipped } = await readImpressions(path);
    assertEquals(skipped, {});
    assertEquals(impressions, [
      { query: "词", docs: [{ ...doc("甲", 1, 0), dwell: 3.5 }, doc("乙", 2, 1)] },
      { query: "问", docs: [doc("丙", 1, 1), doc("丁", 2, 0)] },
      { query: "答", docs: [doc("丙", 1, 0)] },
    ]);
  });
  await withFile("a.tsv", "问\t丙\t1\n问\t丁\t0", async (path) => {
    const { impressions } = await readImpressions(path);
    assertEquals(impressions, [{ query: "问", docs: [doc("丙", 1, 1), doc("丁", 2, 0)] }]);
  });
});

Deno.test("what is wrong with a log is said by line and reason, or counted", async () => {
  const good = line("词", [doc("甲", 1, 0)]);
  const wrong: readonly (readonly [string, string])[] = [
    [line("词", []), "nothing was shown"],
    [line("词", "甲"), "docs is no list"],
    [line("", [doc("甲", 1, 0)]), "it has no query"],
    [line("词", [doc("", 1, 0)]), "document 1 has no title"],
    [line("词", [doc("甲", 0, 0)]), "document 1 has rank 0"],
    [line("词", [{ title: "甲", click: 1 }]), "document 1 has rank undefined"],
    [line("词", [doc("甲", 1.5, 0)]), "document 1 has rank 1.5"],
    [line("词", [doc("甲", 4e9, 0)]), "document 1 has rank 4000000000"],
    [line("词", [{ title: "甲", rank: 1 }]), "document 1 has click undefined"],
    [line("词", [{ ...doc("甲", 1, 0), click: -1 }]), "document 1 has click -1"],
    [line("词", [{ ...doc("甲", 1, 0), click: true }]), "document 1 has click true"],
    [line("词", [{ ...doc("甲", 1, 0), grade: 5 }]), "document 1 has grade 5"],
    [line("词", [{ ...doc("甲", 1, 0), grade: "good" }]), 'document 1 has grade "good"'],
    [line("词", [doc("甲", 1, 0)]).replace(":0}", ':0,"dwell":1e999}'), "document 1 has dwell"],
    [line("词", [doc("甲", 1, 0), null]), "document 2 has no title"],
    [line("词", [{ ...doc("甲", 1, 0), click: 2 }]), "document 1 has click 2"],
    [line("词", [{ ...doc("甲", 1, 0), dwell: -1 }]), "document 1 has dwell -1"],
    [line("词", [doc("甲", 1, 0), doc("甲", 2, 0)]), '"甲" is in it twice'],
    [line("词", [doc("甲", 1, 0), doc("乙", 1, 0)]), "two documents have rank 1"],
    [JSON.stringify({ query: "词", title: "甲", clicked: "maybe" }), 'clicked is "maybe"'],
    ...[[], [1], true, false, null, "", " ", "1", 2, -1, 0.5].map((clicked): [string, string] => [
      JSON.stringify({ query: "词", title: "甲", clicked }),
      `clicked is ${JSON.stringify(clicked)}, it must be 0 or 1`,
    ]),
    [JSON.stringify({ query: "词", title: "甲" }), "clicked is undefined"],
    [JSON.stringify({ query: "词" }), "it has no title"],
    ["[1", "it is no JSON"],
    ["3", "it is no object"],
  ];
  for (const [bad, why] of wrong) {
    await withFile("a.jsonl", `${good}\n${bad}\n${good}`, async (path) => {
      await assertRejects(() => readImpressions(path), InputError, `line 2: ${why}`);
      const { impressions, skipped } = await readImpressions(path, { skipBad: true });
      assertEquals(impressions.length, 2);
      assertEquals(Object.values(skipped), [1]);
    });
  }
  for (const clicked of ["", "yes", "2", "-1", "1.0", "1e0", "+1"]) {
    await withFile(
      "a.tsv",
      `问\t丙\t1\n问\t丁\t${clicked}`,
      (path) => assertRejects(() => readImpressions(path), InputError, "line 2: "),
    );
  }
  await withFile(
    "a.tsv",
    "问\t丙\t1\n问\t丙\t0",
    (path) =>
      assertRejects(
        () => readImpressions(path),
        InputError,
        'line 2: "丙" was shown for this query already',
      ),
  );
  await withFile("a.jsonl", Array(5).fill(good).join("\n"), async (path) => {
    const { impressions, skipped } = await readImpressions(path, { perQuery: 3 });
    assertEquals(impressions.length, 3);
    assertEquals(Object.values(skipped), [2]);
  });
  await withFile(
    "a.jsonl",
    "\n",
    (path) => assertRejects(() => readImpressions(path), InputError, "no impression"),
  );
});

Deno.test("position bias is found again in a log that it was put in", () => {
  const theta = [1, 0.6, 0.4, 0.25], impressions: Impression[] = [];
  for (let n = 0; n < 20_000; n++) {
    const { below, uniform } = draws(n, 9, 0, 0), order = [0, 1, 2, 3];
    for (let i = 3; i > 0; i--) {
      const j = below(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    const docs = order.map((title, i) =>
      doc(`题${title}`, i + 1, uniform() < theta[i]! * [0.8, 0.5, 0.3, 0.1][title]! ? 1 : 0)
    );
    impressions.push({ query: `词${n % 7}`, docs });
  }
  const found = estimatePropensities(impressions);
  theta.forEach((t, i) => assertAlmostEquals(found[i]!, t, 0.04));
  assertAlmostEquals(inversePropensity(found, 2, 10), 1 / found[1]!, 1e-12);
  assertEquals(inversePropensity(found, 4, 2), 2);
  assertEquals(inversePropensity(found, 9, 100), 1 / found[3]!);
});

Deno.test("simulated clicks fall with the rank and rise with the grade, as the model says", () => {
  const model = { ...CLICK_MODEL, seed: 3 }, theta = propensitiesOf(model);
  const log = simulateClicks(smallCorpus(3000), 2500, model);
  assert(log.length > 1500, String(log.length));
  const sums = new Map<string, [number, number]>();
  for (const { query, docs } of log) {
    assert(query.length >= 2 && docs.length > 2);
    assertEquals(docs.map(({ rank }) => rank), docs.map((_, i) => i + 1));
    assertEquals(docs.filter(({ grade }) => grade === 2).length, 1);
    for (const { rank, grade, click } of docs) {
      const sum = sums.get(`${rank} ${grade}`) ?? [0, 0];
      sums.set(`${rank} ${grade}`, [sum[0] + click, sum[1] + 1]);
    }
  }
  for (const [key, [clicks, all]] of sums) {
    if (all < 300) continue;
    const [rank, grade] = key.split(" ").map(Number) as [number, number];
    const want = theta[rank - 1]! * (0.1 + 0.9 * grade / 2);
    assertAlmostEquals(clicks / all, want, 4 * Math.sqrt(want / all) + 0.005);
  }
  assertEquals(
    simulateClicks(smallCorpus(300), 10, model),
    simulateClicks(smallCorpus(300), 10, model),
  );
});

Deno.test("a simulated query is the beginning of a document, or pieces of its title in their order", () => {
  const titles = [
    "今天天气很好我们去公园散步吧",
    "iPhone 15 手机价格 2024 年最新消息，在这里",
    "  短 ",
  ];
  const log = simulateClicks([...titles, ...smallCorpus(40)], 400, { ...CLICK_MODEL, pieces: 1 });
  assert(log.length > 150);
  const relevant = log.map(({ query, docs }) => ({
    query,
    title: docs.find(({ grade }) => grade === 2)!.title,
  }));
  for (const { query, title } of relevant) {
    assert([...query].every((c) => title.includes(c)), `${query} of ${title}`);
    assert(/^[\p{L}\p{N}]+$/u.test(query), query);
    for (const [word] of query.matchAll(/[a-z]+|[0-9]+/gi)) assert(title.includes(word), query);
  }
  const own = relevant.filter(({ title }) => title === titles[0]),
    queries = own.map((o) => o.query);
  assertEquals([own.length, new Set(queries).size > 1], [4, true], queries.join());
  // Of documents of two sentences, as many as `pieces` says.
  const [one, other] = [smallCorpus(4000), smallCorpus(8000).slice(4000)];
  const pairs = one.map((text, i) => `${text.slice(0, 20)}\n${other[i]!.slice(0, 20)}`);
  const apart = (pieces: number): number => {
    const two = simulateClicks(pairs, 2500, { ...CLICK_MODEL, pieces });
    const titleOf = ({ docs }: typeof two[number]) => docs.find(({ grade }) => grade === 2)!.title;
    return two.filter((one) => !titleOf(one).includes(one.query.slice(0, 2))).length / two.length;
  };
  const all = apart(0);
  assert(all > 0.5, String(all));
  assertAlmostEquals(apart(0.25) / all, 0.75, 0.05);
  const rules = simulateClicks(["————————————", "!!!!!!!!!!!!", ...smallCorpus(20)], 200, {
    ...CLICK_MODEL,
    pieces: 1,
  });
  assert(rules.length > 20 && rules.every(({ query }) => query.length >= 2), "no title is a rule");
  const none = simulateClicks(titles, 10, { ...CLICK_MODEL, pieces: 0 });
  assertEquals(none, []);
});

Deno.test("AUC is the share of pairs in the right order; log loss and NDCG are their sums", () => {
  const cases = fc.array(
    fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: 0, max: 2 })),
    { minLength: 2, maxLength: 12 },
  );
  fc.assert(fc.property(cases, (rows) => {
    const scores = rows.map(([s]) => s), labels = rows.map(([, l]) => l);
    let right = 0, all = 0, up = 0, down = 0;
    for (const [i, a] of labels.entries()) {
      for (const [j, b] of labels.entries()) {
        const difference = scores[i]! - scores[j]!;
        const point = difference > 0 ? 1 : difference === 0 ? 0.5 : 0;
        if (a > 0 && b === 0) [right, all] = [right + point, all + 1];
        if (a > b) [up, down] = [up + point, down + 1 - point];
      }
    }
    assertEquals(auc(scores, labels), right / all);
    assertEquals(positiveNegativeRatio([{ scores, labels }]), up / down);
    const loss = rows.reduce((sum, [s, l]) =>
      sum - Math.log(1 / (1 + Math.exp(l > 0 ? -s : s))), 0) / rows.length;
    assertAlmostEquals(logLoss(scores, labels), loss, 1e-12);
    const found = ndcg({ scores, labels }, 3);
    if (
      labels.every((l) =>
        l === 0
      )
    ) assertEquals(found, undefined);
    else assert(found! >= 0 && found! <= 1);
    assertEquals(ndcg({ scores: labels, labels }, 5), labels.some((l) => l > 0) ? 1 : undefined);
  }));
  // Worked by hand: grades 3 2 0 1 in the order of the scores.
  const want = (7 + 3 / Math.log2(3) + 1 / Math.log2(5)) / (7 + 3 / Math.log2(3) + 1 / 2);
  assertAlmostEquals(ndcg({ scores: [4, 3, 2, 1], labels: [3, 2, 0, 1] }, 4)!, want, 1e-12);
  assert(logLoss([800, -800], [0, 1]) === 800, "no overflow");
});

const shape = [size("I", 3), size("D", 4)] as const;
type Grid = readonly (readonly number[])[];
const grid = (rows: Grid): Tensor<["I", "D"]> =>
  fromArray(rows.flat(), shape) as Tensor<["I", "D"]>;
const keep: Grid = [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 0, 0]];
const clicks: Grid = [[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0]];
const weights: Grid = [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]];
const ranks: Grid = [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4]];
const scores: Grid = [[0.5, -1, 2, 0.3], [1, 0.2, -0.7, 9], [0.1, 0.4, 5, 5]];
const soft = (x: number): number => Math.log1p(Math.exp(x));

/** Sum and weight by the definitions. */
const definitions: Readonly<Record<ClickLossName, (s: Grid) => readonly [number, number]>> = {
  pointwise: (s) =>
    over(s, (i, d) => {
      const [c, w, x] = [clicks[i]![d]!, weights[i]![d]!, s[i]![d]!];
      return c ? [w * soft(-x), w] : [soft(x), 1];
    }),
  pairwise: (s) => over(s, (i, d) => pairSum(s, i, d, false)),
  "skip-above": (s) => over(s, (i, d) => pairSum(s, i, d, true)),
  listwise: (s) =>
    over(s, (i, d) => {
      if (!clicks[i]![d]) return [0, 0];
      const all = s[i]!.filter((_, e) => keep[i]![e]).reduce((sum, x) => sum + Math.exp(x), 0);
      return [weights[i]![d]! * (Math.log(all) - s[i]![d]!), weights[i]![d]!];
    }),
};
function over(
  s: Grid,
  f: (i: number, d: number) => readonly [number, number],
): readonly [number, number] {
  let [sum, weight] = [0, 0];
  s.forEach((row, i) =>
    row.forEach((_, d) => {
      if (!keep[i]![d]) return;
      const [a, b] = f(i, d);
      [sum, weight] = [sum + a, weight + b];
    })
  );
  return [sum, weight];
}
function pairSum(s: Grid, i: number, d: number, above: boolean): readonly [number, number] {
  if (!clicks[i]![d]) return [0, 0];
  let [sum, weight] = [0, 0];
  s[i]!.forEach((x, e) => {
    if (!keep[i]![e] || clicks[i]![e] || above && ranks[i]![e]! > ranks[i]![d]!) return;
    sum += weights[i]![d]! * soft(x - s[i]![d]!);
    weight += weights[i]![d]!;
  });
  return [sum, weight];
}

for (const [name, loss] of Object.entries(clickLosses)) {
  Deno.test(`the ${name} loss and its gradient are those of its definition`, async () => {
    const shown: Clicks = {
      keep: grid(keep),
      clicks: grid(clicks),
      weights: grid(weights),
      ranks: grid(ranks),
    };
    const define = definitions[name as ClickLossName], [sum, weight] = define(scores);
    const found = loss(grid(scores), shown);
    assertAlmostEquals((await read(found.sum))[0]!, sum, 1e-5);
    assertAlmostEquals((await read(found.weight))[0]!, weight, 1e-5);
    const slope = await read(grad((s: Tensor<["I", "D"]>) => loss(s, shown).sum)(grid(scores)));
    scores.forEach((row, i) =>
      row.forEach((_, d) => {
        const moved = (by: number): number =>
          define(scores.map((r, a) => r.map((x, b) => a === i && b === d ? x + by : x)))[0];
        assertAlmostEquals(slope[4 * i + d]!, (moved(1e-4) - moved(-1e-4)) / 2e-4, 1e-3);
      })
    );
  });
}
