import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";

const root = new URL("../", import.meta.url);
const modules = ["mod.ts", "nn/mod.ts", "optim/mod.ts"];

/** An empty folder, an empty cache and a server of the repository's files, in which `program` is run or checked. */
async function alone(
  command: readonly string[],
  program: (host: string) => string,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const folder = await Deno.makeTempDir();
  const serve = async (request: Request): Promise<Response> => {
    const text = await Deno.readTextFile(join(fromFileUrl(root), new URL(request.url).pathname))
      .catch(() => null);
    const headers = { "content-type": "application/typescript" };
    return text === null ? new Response(null, { status: 404 }) : new Response(text, { headers });
  };
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, serve);
  const host = `localhost:${server.addr.port}`;
  try {
    await Deno.mkdir(join(folder, "empty"));
    await Deno.writeTextFile(join(folder, "empty", "prog.ts"), program(`http://${host}`));
    const done = await new Deno.Command(Deno.execPath(), {
      args: [...command, `--allow-import=${host}`, "prog.ts"],
      cwd: join(folder, "empty"),
      env: { DENO_DIR: join(folder, "cache"), NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      signal: AbortSignal.timeout(300_000),
    }).output();
    const [out, err] = [done.stdout, done.stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code: done.code, out: out!, err: err! };
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("import by URL: computes, prints and ends with no permission but --allow-import", async () => {
  const { code, out, err } = await alone(["run", "--quiet", "--no-prompt", "--check"], (host) => `
import { matmul, read, tensor, zeros } from "${host}/mod.ts";
import * as nn from "${host}/nn/mod.ts";
import * as optim from "${host}/optim/mod.ts";

const a = tensor([[1, 2, 3], [4, 5, 6]]);
const b = tensor([[1, 0], [0, 1], [1, 1]]);
console.log([...await read(matmul(a, b))].join(" "));
console.log([...await read(zeros([2]))].join(" "));
console.log(Object.keys(nn).length > 0, Object.keys(optim).length > 0);
`);
  assertEquals([code, out], [0, "4 5 10 11\n0 0\ntrue true\n"], err);
});

Deno.test("import by URL: the compiler refuses a wrong program with our text", async () => {
  const { code, err } = await alone(["check", "--quiet"], (host) => `
import { matmul, zeros } from "${host}/mod.ts";

export const wrong = matmul(zeros([2, 3]), zeros([4, 5]));
`);
  assertEquals(code, 1, err);
  assertStringIncludes(err, "Cannot matmul [2, 3] with [4, 5]: inner axes must match");
  assertMatch(err, /prog\.ts:4/);
});

Deno.test("import by path: the modules are sound under the compiler options of a program that has no configuration", async () => {
  // Of what comes by http the compiler shows no faults.
  const folder = await Deno.makeTempDir();
  try {
    const lines = [...modules, "dist/mod.ts"].map((path) => `import "${new URL(path, root)}";`);
    await Deno.writeTextFile(join(folder, "prog.ts"), lines.join("\n"));
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "prog.ts"],
      cwd: folder,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("import by URL: only files of ours, node: and npm:name@version are reached", async () => {
  // `deno info` takes one module, so one that imports all.
  const entry = modules.map((path) => `import "${new URL(path, root)}";`).join("\n");
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "info",
      "--json",
      "--no-config",
      "--no-lock",
      `data:text/typescript,${encodeURIComponent(entry)}`,
    ],
    stderr: "inherit",
  }).output();
  const graph: Graph = JSON.parse(new TextDecoder().decode(stdout));
  const own = graph.modules.filter(({ specifier }) => specifier.startsWith("file:"));
  const written = own.flatMap((file) => file.dependencies ?? []).map(({ specifier }) => specifier);
  const allowed = /^(\.\.?\/|node:|npm:(@[^/]+\/)?[^@/]+@\d)/;
  assertEquals(written.filter((specifier) => !allowed.test(specifier)), []);
  assertEquals(graph.modules.filter(({ error }) => error), []);
  for (const path of modules) {
    assert(own.some(({ specifier }) => specifier.endsWith(`/${path}`)), path);
  }
});

/** What is read here of `deno info --json`. */
interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly { readonly specifier: string }[];
  }[];
}
