/** The dynamic loss scale: how it moves, that dividing by it is exact, and that a skipped step leaves no trace. */
import fc from "npm:fast-check@4.10.2";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type AnyTensor,
  jit,
  leaves,
  mul,
  read,
  readNumber,
  type Tensor,
  tensor,
  type Tree,
} from "../../core/mod.ts";
import {
  adamw,
  freshLossScale,
  lamb,
  type LossScaleOptions,
  type LossScaleState,
  nextLossScale,
  type Optimizer,
  unscaled,
} from "../../optim/mod.ts";

const truth = (is: boolean): Tensor<[], "bool"> => tensor(is ? 1 : 0, "bool");

interface Numbers {
  readonly scale: number;
  readonly good: number;
  readonly skipped: number;
  readonly stuck: number;
}

async function numbers({ scale, good, skipped, stuck }: LossScaleState): Promise<Numbers> {
  const whole = async (x: Tensor<[], "i32">): Promise<number> => (await read(x))[0]!;
  return {
    scale: await readNumber(scale),
    good: await whole(good),
    skipped: await whole(skipped),
    stuck: await whole(stuck),
  };
}

/** The same rule in plain numbers. */
function expected(now: Numbers, finite: boolean, o: Required<LossScaleOptions>): Numbers {
  if (!finite) {
    const scale = Math.max(now.scale / 2, o.floor);
    const stuck = now.scale === o.floor ? now.stuck + 1 : 0;
    return { scale, good: 0, skipped: now.skipped + 1, stuck };
  }
  const grows = now.good + 1 >= o.growEvery;
  return {
    scale: grows ? Math.min(now.scale * 2, o.most) : now.scale,
    good: grows ? 0 : now.good + 1,
    skipped: now.skipped,
    stuck: 0,
  };
}

Deno.test("a loss scale doubles after so many good steps, halves at a bad one, and keeps within floor and most", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { maxLength: 24 }),
      fc.nat(4),
      fc.nat(6),
      fc.integer({ min: 1, max: 4 }),
      async (steps, low, up, growEvery) => {
        const floor = 2 ** (low - 2), first = floor * 2 ** up, most = first * 4;
        const options = { first, growEvery, floor, most };
        const next = jit(
          (state: LossScaleState, finite: Tensor<[], "bool">) =>
            nextLossScale(state, finite, options),
        );
        let state = freshLossScale(options), want: Numbers = await numbers(state);
        assertEquals(want, { scale: first, good: 0, skipped: 0, stuck: 0 });
        for (const finite of steps) {
          state = next(state, truth(finite));
          want = expected(want, finite, options);
          assertEquals(await numbers(state), want);
        }
      },
    ),
    { numRuns: 25, seed: 11 },
  );
});

Deno.test("the defaults are 2^15, 2000 steps, 1 and 2^24", async () => {
  let state = freshLossScale();
  assertEquals(await numbers(state), { scale: 32768, good: 0, skipped: 0, stuck: 0 });
  const nearly = { ...state, good: tensor(1999, "i32") };
  assertEquals((await numbers(nextLossScale(nearly, truth(true)))).scale, 65536);
  state = { ...nearly, scale: tensor(2 ** 24) };
  assertEquals((await numbers(nextLossScale(state, truth(true)))).scale, 2 ** 24);
  state = { ...state, scale: tensor(1) };
  assertEquals(await numbers(nextLossScale(state, truth(false))), {
    scale: 1,
    good: 0,
    skipped: 1,
    stuck: 1,
  });
});

Deno.test("scaling by a power of two and unscaling changes no bit; what is not finite stays so", async () => {
  const word = new Float32Array(1), bits = new Uint32Array(word.buffer);
  const scaledBack = jit((x: Tensor<[number]>, scale: Tensor<[]>) =>
    unscaled({ x: mul(x, scale) }, { scale })
  );
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: -100, max: 100 }),
      fc.array(fc.integer({ min: 120, max: 136 }), { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(2 ** 23 - 1), { minLength: 8, maxLength: 8 }),
      fc.boolean(),
      async (power, exponents, fractions, isNegative) => {
        const numbers = exponents.map((e, i) => {
          bits[0] = (isNegative ? 0x80000000 : 0) | e << 23 | fractions[i]!;
          return word[0]!;
        });
        const { x } = scaledBack(tensor(numbers) as AnyTensor, tensor(2 ** power));
        assertEquals([...await read(x as AnyTensor as Tensor)], numbers);
      },
    ),
    { numRuns: 40, seed: 5 },
  );
  const { x } = unscaled({ x: tensor([Infinity, -Infinity, NaN]) }, { scale: tensor(4096) });
  assertEquals([...await read(x)], [Infinity, -Infinity, NaN]);
});

Deno.test("a step with a gradient that is not finite changes no bit of parameters, moments and count, and halves the scale", async () => {
  const params = { w: tensor([0.1, -3, 1e-20]), b: tensor([[7, 0.3]]) };
  const words = async (tree: unknown): Promise<number[]> =>
    (await Promise.all(
      leaves(tree as Tree<AnyTensor>).map(async (x) => [...await read(x as Tensor)]),
    )).flat();
  for (const make of [lamb, adamw] as const) {
    const optimizer: Optimizer = make({ rate: 0.1 });
    const state = optimizer.init(params), scaling = freshLossScale({ first: 8 });
    for (const bad of [NaN, Infinity, -Infinity]) {
      const grads = { w: tensor([1, bad, 2]), b: tensor([[1, 1]]) };
      const next = optimizer.step(params, unscaled(grads, scaling), state, truth(false));
      assertEquals(await words(next.params), await words(params));
      assertEquals(await words(next.state), await words(state));
      assertEquals((await numbers(nextLossScale(scaling, truth(false)))).scale, 4);
    }
    const good = optimizer.step(params, params, state, truth(true));
    const [before, after] = [await words(params), await words(good.params)];
    assert(after.some((x, i) => x !== before[i]));
  }
});

Deno.test("scales that are no power of two, and floors above the first scale, are refused", () => {
  const refused = (options: LossScaleOptions, text: string): void => {
    assertThrows(() => freshLossScale(options), RangeError, text);
  };
  refused({ first: 1000 }, "first 1000: it must be a power of two");
  refused({ floor: 0 }, "floor 0: it must be a power of two");
  refused({ first: NaN }, "first NaN: it must be a power of two");
  refused({ first: 2, floor: 4 }, "first 2, floor 4: the floor must not be above");
  refused({ first: 4, most: 2 }, "first 4, most 2: the first must not be above");
  refused({ growEvery: 0 }, "growEvery 0: it must be a whole number above 0");
});
