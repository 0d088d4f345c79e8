/**
 * Which folder may import from which: core <- nn, optim, dist <- recipes; tests may import all.
 *
 * @module
 */
import { dirname, join } from "node:path/posix";

/** The part of the project that a path (from the repository's root) belongs to. */
export type Layer = "core" | "nn" | "optim" | "dist" | "recipes" | "tests";

const allowed: Readonly<Record<Layer, readonly Layer[]>> = {
  core: ["core"],
  nn: ["core", "nn"],
  optim: ["core", "optim"],
  dist: ["core", "dist"],
  recipes: ["core", "nn", "optim", "dist", "recipes"],
  tests: ["core", "nn", "optim", "dist", "recipes", "tests"],
};

/** The layer of a file: `mod.ts` is core's public face, examples and the like count as recipes. */
export function layerOf(path: string): Layer {
  const [top = ""] = path.split("/");
  if (path === "mod.ts") return "core";
  return Object.hasOwn(allowed, top) ? top as Layer : "recipes";
}

/** The layers whose files anyone may load by URL, where no import map applies. */
export function isLibrary(layer: Layer): boolean {
  return layer !== "recipes" && layer !== "tests";
}

/** Says in words why `file` must not import `specifier`, or nothing where it may. */
export function importError(file: string, specifier: string): string | undefined {
  const from = layerOf(file);
  if (specifier.startsWith("./") || specifier.startsWith("../")) {
    const to = layerOf(join(dirname(file), specifier));
    if (allowed[from].includes(to)) return undefined;
    return `Cannot import ${to} from ${from}: ${from} may import ${allowed[from].join(", ")}`;
  }
  if (!isLibrary(from) || specifier.startsWith("node:")) return undefined;
  if (from !== "core" && /^npm:(@[^/]+\/)?[^@/]+@\d/.test(specifier)) return undefined;
  const also = from === "core" ? "" : " or npm:name@version";
  return `Cannot import "${specifier}" from ${from}: only a relative path, node:${also} works by URL`;
}
