import { assert, assertEquals, assertNotMatch } from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { bundle, checkForBrowsers } from "../recipes/build/bundle.ts";

/** What a page or a worker of a browser lacks goes first, then the bundle computes. */
const page = `
for (const name of ["Deno", "process", "Buffer", "global", "setImmediate"]) delete globalThis[name];
const { matmul, nn, optim, read, tensor } = await import("./motian.js");
const product = await read(matmul(tensor([[1, 2], [3, 4]]), tensor([[1, 1], [0, 1]])));
const missing = typeof Deno === "undefined" && typeof process === "undefined";
postMessage([missing, [...product], Object.keys(nn).length > 0, Object.keys(optim).length > 0]);
`;

Deno.test("bundle: loads and computes in a worker that has no Deno", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "motian.js");
    assert(await bundle(file) > 0);
    assertNotMatch(await Deno.readTextFile(file), /^import\b.*"node:/m);
    await Deno.writeTextFile(join(folder, "page.js"), page);
    const worker = new Worker(toFileUrl(join(folder, "page.js")), { type: "module" });
    const said = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => (event.preventDefault(), reject(new TypeError(event.message)));
    });
    worker.terminate();
    assertEquals(said, [true, [1, 3, 3, 7], true, true]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("bundle: the library checks with a browser's types", async () => {
  assert(await checkForBrowsers());
});

Deno.test("bundle: a wrong call gets one line and exit code 2", async () => {
  const wrong = [["--bogus"], ["extra"], ["--out", "."], ["--out"], ["--out", "deno.json/a.js"]];
  for (const args of wrong) {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "build", ...args],
      cwd: new URL("../", import.meta.url),
    }).output();
    const lines = new TextDecoder().decode(stderr).trim().split("\n");
    assertEquals([code, lines.length], [2, 1], lines.join("\n"));
  }
});
