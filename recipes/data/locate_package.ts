/**
 * A program of its own: fetches an npm package into Deno's cache and prints the path of its `package.json`.
 *
 *     deno run locate_package.ts NAME@VERSION
 *
 * @module
 */
const manifest = `npm:${Deno.args[0]}/package.json`;
// Not a literal: else whoever checks or tests this file fetches the package.
await import(manifest, { with: { type: "json" } });
// Deno resolves an npm specifier to a path only once the package is there.
console.log(import.meta.resolve(manifest));
