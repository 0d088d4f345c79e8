/**
 * The project's own TypeScript files and what they import, read from their syntax trees.
 * `Deno.lint.runPlugin` is the parser, so this works under `deno test` alone.
 *
 * @module
 */
/// <reference lib="deno.unstable" />
import { walk } from "@std/fs";
import { join, normalize, relative } from "@std/path";
import { dirname } from "node:path/posix";

/** One file: paths are from the repository's root. */
export interface Source {
  readonly path: string;
  readonly lines: number;
  /** Files that it needs at run time. */
  readonly values: readonly string[];
  /** Where it says `any`: the name of the type alias around it, or nothing. */
  readonly anys: readonly (string | undefined)[];
}

/** The repository's folder, with a slash at its end. */
export const root: string = normalize(new URL("../../", import.meta.url).pathname);

/** Reads every TypeScript file of the project. */
export async function sources(): Promise<readonly Source[]> {
  const found: Source[] = [];
  const skip = [/\/\.git$/, /\/\.cache$/, /\/node_modules$/, /\/runs$/, /\/dist-browser$/];
  for await (const { path } of walk(root, { exts: [".ts"], includeDirs: false, skip })) {
    found.push(sourceOf(relative(root, path), await Deno.readTextFile(path)));
  }
  return found;
}

/** Reads one file's text. */
export function sourceOf(path: string, text: string): Source {
  const values = new Set<string>();
  const anys: (string | undefined)[] = [];
  const add = (source: Deno.lint.Node | null): void => {
    if (source?.type !== "Literal" || typeof source.value !== "string") return;
    if (source.value.startsWith(".")) values.add(join(dirname(path), source.value));
  };
  const create = (context: Deno.lint.RuleContext): Deno.lint.LintVisitor => ({
    ImportDeclaration(node) {
      const used = node.specifiers.some((s) =>
        s.type !== "ImportSpecifier" || s.importKind !== "type"
      );
      const bare = node.specifiers.length === 0;
      if (node.importKind !== "type" && (used || bare)) add(node.source);
    },
    ExportAllDeclaration: (node) => node.exportKind === "type" || add(node.source),
    ExportNamedDeclaration(node) {
      const used = node.specifiers.some((s) => s.exportKind !== "type");
      if (node.exportKind !== "type" && used) add(node.source);
    },
    TSAnyKeyword(node) {
      const alias = context.sourceCode.getAncestors(node)
        .find((above) => above.type === "TSTypeAliasDeclaration");
      anys.push(alias?.id.name);
    },
  });
  Deno.lint.runPlugin({ name: "sources", rules: { read: { create } } }, path, text);
  const lines = text.replace(/\n$/, "").split("\n").length;
  return { path, lines, values: [...values], anys };
}

/** The groups of files that need each other at run time, each group sorted. */
export function cycles(files: readonly Source[]): readonly (readonly string[])[] {
  const edges = new Map(files.map(({ path, values }) => [path, values]));
  const reach = (from: string): Set<string> => {
    const seen = new Set<string>(), todo = [...edges.get(from) ?? []];
    for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      todo.push(...edges.get(path) ?? []);
    }
    return seen;
  };
  const reached = new Map(files.map(({ path }) => [path, reach(path)]));
  const groups = files.filter(({ path }) => reached.get(path)!.has(path)).map(({ path }) =>
    [...reached.get(path)!].filter((other) => reached.get(other)?.has(path)).sort().join(" ")
  );
  return [...new Set(groups)].map((group) => group.split(" "));
}
