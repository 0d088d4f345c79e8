/** Metrics are scikit-learn's, on random answers, rare and absent classes included. */
import { assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { python } from "../../recipes/bench/peers/environment.ts";
import { accuracy } from "../../recipes/clue/metrics/accuracy.ts";
import { macroF1 } from "../../recipes/clue/metrics/macro_f1.ts";
import { draws } from "../../recipes/masking/counter_random.ts";
import { skip } from "../skip.ts";

/** Answers, and the right ones. */
interface Case {
  readonly classes: number;
  readonly predicted: readonly number[];
  readonly labels: readonly number[];
}

/** Of 2 to 119 classes, some of them rare or absent, of which a share is answered right. */
function randomCase(n: number): Case {
  const draw = draws(n, 77, 0, 0), classes = 2 + draw.below(n % 3 === 0 ? 118 : 4);
  const length = 1 + draw.below(n % 10 === 0 ? 2000 : 60), right = draw.uniform();
  const skewed = (): number => Math.floor(classes * draw.uniform() ** (1 + n % 4));
  const labels = Array.from({ length }, skewed);
  const predicted = labels.map((label) => draw.uniform() < right ? label : skewed());
  return { classes, predicted, labels };
}

const cases = Array.from({ length: 1000 }, (_, n) => randomCase(n));

/** How the script ends where a package is not there: anything else that goes wrong in it is a failure. */
const ABSENT = 77;

const script = `
import json, sys
try:
    from sklearn.metrics import accuracy_score, f1_score
except ImportError:
    sys.exit(${ABSENT})
for case in json.load(sys.stdin):
    y, p = case["labels"], case["predicted"]
    print(json.dumps([accuracy_score(y, p), f1_score(y, p, average="macro")]))
`;

/** What scikit-learn says of the cases; undefined where it is not installed. */
async function judged(
  program: string,
): Promise<readonly (readonly [number, number])[] | undefined> {
  try {
    const child = new Deno.Command(python, {
      args: ["-W", "ignore", "-c", program],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    // It ends at once, and reads nothing, where it lacks a package.
    const written = writer.write(new TextEncoder().encode(JSON.stringify(cases)))
      .then(() => writer.close()).catch(() => {});
    const [out, error, { code }] = await Promise.all([
      child.stdout.text(),
      child.stderr.text(),
      child.status,
      written,
    ]);
    if (code === ABSENT) return undefined;
    if (code !== 0) throw new TypeError(`Cannot ask scikit-learn: ${error.trimEnd()}`);
    return out.trimEnd().split("\n").map((line) => JSON.parse(line));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const hasPython = (): Promise<boolean> =>
  new Deno.Command(python, { args: ["-V"], stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);

const peer = await judged(script);
if (!peer) skip("metrics against scikit-learn", "no python3-sklearn");
else {
  Deno.test("accuracy and macro-F1 are those of scikit-learn in 1,000 random cases", () => {
    assertEquals(peer.length, cases.length);
    cases.forEach(({ predicted, labels, classes }, n) => {
      const [exact, f1] = peer[n]!;
      assertAlmostEquals(accuracy(predicted, labels), 100 * exact, 1e-9, `case ${n}`);
      assertAlmostEquals(macroF1(predicted, labels, classes), 100 * f1, 1e-9, `case ${n}`);
    });
  });
}

Deno.test({
  name: "a peer that breaks fails, and one that is not installed is skipped",
  ignore: !await hasPython(),
  async fn() {
    assertEquals(await judged(script.replace("sklearn", "no_such_package")), undefined);
    const broken = script.replace("accuracy_score(y, p)", "1 / 0");
    const missing = broken.replace(/from sklearn.*/, "pass");
    await assertRejects(() => judged(missing), TypeError, "ZeroDivisionError");
  },
});

Deno.test("accuracy and macro-F1 of a case that is worked out by hand", () => {
  const labels = [0, 0, 0, 1, 2], predicted = [0, 0, 1, 1, 0];
  assertEquals(accuracy(predicted, labels), 60);
  // 0: 2 right of 3 and 3. 1: 1 right of 1 and 2. 2: never said. 3: neither is nor is said.
  assertAlmostEquals(macroF1(predicted, labels, 4), 100 * (4 / 6 + 2 / 3 + 0) / 3, 1e-12);
});

Deno.test("nothing cannot be judged", () => {
  assertThrows(() => accuracy([], []), RangeError, "there must be one");
  assertThrows(() => macroF1([], [], 2), RangeError, "there must be one");
});
