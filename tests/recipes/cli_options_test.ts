import { assertEquals, assertThrows } from "@std/assert";
import { InputError } from "../../recipes/cli/input_error.ts";
import { nearest } from "../../recipes/cli/nearest.ts";
import { helpText, type OptionsOf, parseOptions } from "../../recipes/cli/options.ts";

const command = {
  name: "bake",
  about: "Bakes bread.",
  options: {
    flour: { type: "text", value: "KIND", help: "what it is made of", default: "wheat" },
    oven: { type: "choice", choices: ["gas", "wood"], help: "where" },
    loaves: { type: "whole", value: "N", min: 1, help: "how many" },
    hours: { type: "number", value: "H", max: 24, help: "how long" },
    dark: { type: "flag", help: "a dark crust" },
    light: { type: "flag", help: "a light crust" },
  },
  conflicts: [["dark", "light", "a crust is dark or light"]],
} as const;

Deno.test("parseOptions gives typed values, defaults, and undefined for what is not given", () => {
  const none: OptionsOf<typeof command> = parseOptions([], command);
  assertEquals(none, {
    flour: "wheat",
    oven: undefined,
    loaves: undefined,
    hours: undefined,
    dark: false,
    light: false,
    help: false,
  });
  const words = ["--flour=rye", "--oven", "wood", "--loaves", "12", "--hours", "1.5", "--dark"];
  assertEquals(parseOptions([...words, "-h"], command), {
    flour: "rye",
    oven: "wood",
    loaves: 12,
    hours: 1.5,
    dark: true,
    light: false,
    help: true,
  });
  const oven: "gas" | "wood" | undefined = none.oven;
  assertEquals(oven, undefined);
});

const wrong: readonly (readonly [line: string, message: string])[] = [
  ["--laoves 3", "Cannot bake with --laoves: no such option; did you mean --loaves?"],
  ["--temperature 3", "Cannot bake with --temperature: no such option; see --help"],
  ["rye", 'Cannot bake with "rye": it takes options only; see --help'],
  ["-- rye", 'Cannot bake with "rye": it takes options only; see --help'],
  ["--flour", "Cannot bake with --flour: it needs a value; write --flour KIND"],
  ["--oven --dark", "Cannot bake with --oven: it needs a value; write --oven gas|wood"],
  ["--oven steam", "Cannot bake with --oven steam: it must be gas or wood"],
  ["--loaves many", "Cannot bake with --loaves many: it must be a whole number of at least 1"],
  ["--loaves 0", "Cannot bake with --loaves 0: it must be a whole number of at least 1"],
  ["--loaves 1.5", "Cannot bake with --loaves 1.5: it must be a whole number of at least 1"],
  ["--hours -1", "Cannot bake with --hours -1: it must be a number from 0 to 24"],
  ["--hours Infinity", "Cannot bake with --hours Infinity: it must be a number from 0 to 24"],
  ["--hours 25", "Cannot bake with --hours 25: it must be a number from 0 to 24"],
  [
    "--dark --light",
    "Cannot bake with --dark and --light: a crust is dark or light; leave one out",
  ],
];
for (const [line, message] of wrong) {
  Deno.test(`parseOptions refuses ${line}`, () => {
    const error = assertThrows(() => parseOptions(line.split(" "), command), InputError);
    assertEquals(error.message, message);
  });
}

Deno.test("helpText lists every option with its value, its help and its default", () => {
  assertEquals(
    helpText(command),
    `Bakes bread.

Usage: deno task bake [options]

  --flour KIND     what it is made of (wheat)
  --oven gas|wood  where
  --loaves N       how many
  --hours H        how long
  --dark           a dark crust
  --light          a light crust
  --help           shows this`,
  );
});

Deno.test("nearest finds slips of the hand and beginnings, and nothing far away", () => {
  const names = ["corpus", "config", "steps", "seed", "out", "resume"];
  for (
    const [word, name] of [
      ["corpsu", "corpus"],
      ["conf", "config"],
      ["Steps", "steps"],
      ["step", "steps"],
      ["sed", "seed"],
      ["output", undefined],
      ["x", undefined],
    ] as const
  ) assertEquals(nearest(word, names), name, word);
});

Deno.test("helpText gives a long list of choices a line of its own", () => {
  const choices = Array.from({ length: 9 }, (_, i) => `choice-${i}`);
  const lines = helpText({
    name: "try",
    about: "Tries.",
    options: {
      pick: { type: "choice", choices, help: "one of many" },
      fast: { type: "flag", help: "hurry" },
    },
  }).split("\n");
  assertEquals(lines.slice(-4), [
    `  --pick ${choices.join("|")}`,
    "          one of many",
    "  --fast  hurry",
    "  --help  shows this",
  ]);
});
