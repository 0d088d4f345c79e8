import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli";

function parse(...args: string[]): { readonly args: unknown; readonly unknown: readonly string[] } {
  const unknown: string[] = [];
  const found = parseArgs(args, {
    boolean: ["json", "help", "color"],
    string: ["corpus", "seed", "tag"],
    collect: ["tag"],
    negatable: ["color"],
    alias: { help: "h" },
    default: { color: true },
    unknown: (arg, key) => (unknown.push(key ?? arg), key === undefined),
  });
  return { args: found, unknown };
}

const none = { json: false, help: false, color: true, tag: [], _: [] };

Deno.test("std: parseArgs knows flags, values, lists, negation, aliases and defaults", () => {
  assertEquals(parse().args, none);
  assertEquals(parse("--json", "-h").args, { ...none, json: true, help: true });
  assertEquals(parse("--no-color").args, { ...none, color: false });
  assertEquals(parse("--json=false").args, none);
  assertEquals(parse("--corpus", "a b", "--seed=3").args, { ...none, corpus: "a b", seed: "3" });
  assertEquals(parse("--corpus=a=b").args, { ...none, corpus: "a=b" });
  assertEquals(parse("--tag", "a", "--tag=b").args, { ...none, tag: ["a", "b"] });
});

Deno.test("std: parseArgs takes a number but no option as a value", () => {
  assertEquals(parse("--seed", "-5").args, { ...none, seed: "-5" });
  assertEquals(parse("--corpus", "--json").args, { ...none, corpus: "", json: true });
  assertEquals(parse("--corpus").args, { ...none, corpus: "" });
});

Deno.test("std: parseArgs keeps positional arguments, all of those after --", () => {
  assertEquals(parse("a", "--json", "-", "-1").args, { ...none, json: true, _: ["a", "-", "-1"] });
  assertEquals(parse("--", "--json", "b").args, { ...none, _: ["--json", "b"] });
});

Deno.test("std: parseArgs hands over what is not declared", () => {
  assertEquals(parse("--bogus=1", "a", "--no-json"), {
    args: { ...none, _: ["a"] },
    unknown: ["bogus", "a", "no-json"],
  });
  const undeclared: unknown = parseArgs(["--any=1"]);
  assertEquals(undeclared, { any: "1", _: [] });
});
