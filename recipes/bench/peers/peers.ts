/**
 * The peers: other libraries, each in a process of its own so that its threads and memory are not ours. A process is started when
 * the first row needs it and kept for the rows after.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import type { Runner, Task } from "../bench_case.ts";
import { peerEnvironment, python } from "./environment.ts";
import type { Answer, Greeting, Request } from "./protocol.ts";
import { lines } from "./serve.ts";
import { openTorchStep, torchStepAbsent } from "./torch_step.ts";

/** The names by which cases ask for them. */
export type PeerName =
  | "OpenBLAS"
  | "PyTorch"
  | "PyTorch step"
  | "jax-js wasm"
  | "jax-js webgpu"
  | "tfjs wasm"
  | "tfjs webgpu";

/** A peer that runs, or why it does not. */
export type Peer =
  | { readonly name: string; open(task: Task): Promise<Runner> }
  | { readonly name?: undefined; readonly absent: string };

/** All peers of one run of the bench. Dispose of it to end their processes. */
export interface Peers extends AsyncDisposable {
  get(name: PeerName): Promise<Peer>;
}

const at = (file: string): string => fromFileUrl(new URL(file, import.meta.url));

/** A program of ours in Deno, with its own packages and lock. */
function inDeno(file: string, ...words: string[]): readonly string[] {
  const permissions = ["--allow-read", "--allow-env", "--allow-sys", "--allow-ffi"];
  const config = ["--config", at("deno.json"), "--frozen"];
  const run = [Deno.execPath(), "run", "--quiet", "--no-prompt", "--no-check"];
  return [...run, ...config, ...permissions, at(file), ...words];
}

/**
 * glibc gives large arrays back to the system at every step, and fetching them again costs PyTorch up to four fifths of its time
 * where page faults are dear. Kept, they cost nothing: a peer is measured at its best.
 */
const keepsMemory: readonly string[] = [
  "MALLOC_MMAP_THRESHOLD_=1073741824",
  "MALLOC_TRIM_THRESHOLD_=4294967296",
  "MALLOC_TOP_PAD_=268435456",
];

const commands: Readonly<Record<Exclude<PeerName, "PyTorch step">, () => readonly string[]>> = {
  OpenBLAS: () => inDeno("openblas.ts"),
  PyTorch: () => ["/usr/bin/env", ...keepsMemory, python, at("torch_ops.py")],
  "jax-js wasm": () => inDeno("jaxjs.ts", "wasm"),
  "jax-js webgpu": () => inDeno("jaxjs.ts", "webgpu"),
  "tfjs wasm": () => inDeno("tfjs.ts", "wasm"),
  "tfjs webgpu": () => inDeno("tfjs.ts", "webgpu"),
};

/** No peer is running yet. */
export function startPeers(): Peers {
  const running = new Map<PeerName, Promise<Peer & AsyncDisposable>>();
  return {
    get(name) {
      if (!running.has(name)) {
        running.set(name, name === "PyTorch step" ? scripts() : start(commands[name]()));
      }
      return running.get(name)!;
    },
    async [Symbol.asyncDispose]() {
      for (const peer of running.values()) await (await peer)[Symbol.asyncDispose]();
    },
  };
}

/** A peer that is a process anew for every figure. */
async function scripts(): Promise<Peer & AsyncDisposable> {
  const absent = await torchStepAbsent();
  const peer: Peer = absent === undefined ? { name: "PyTorch", open: openTorchStep } : { absent };
  return { ...peer, async [Symbol.asyncDispose]() {} };
}

async function start([program, ...args]: readonly string[]): Promise<Peer & AsyncDisposable> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program!, {
      args,
      env: peerEnvironment(),
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    return { absent: (error as Error).message, async [Symbol.asyncDispose]() {} };
  }
  const answers = lines(child.stdout), writer = child.stdin.getWriter();
  const complaint = lastLines(child.stderr);
  const next = async (): Promise<unknown> => {
    const { value, done } = await answers.next();
    if (!done) return JSON.parse(value);
    throw new TypeError(`Cannot hear ${program}: it ended; ${await complaint}`);
  };
  const end = async (): Promise<void> => {
    await writer.close().catch(() => {}); // it may have ended
    await child.status;
  };
  const greeting = await next().catch((error): Greeting => ({ absent: error.message })) as Greeting;
  if (greeting.ready === undefined) {
    return { absent: greeting.absent ?? "it said nothing", [Symbol.asyncDispose]: end };
  }
  const ask = async (request: Request): Promise<Answer> => {
    await writer.write(new TextEncoder().encode(JSON.stringify(request) + "\n"));
    const answer = await next() as Answer;
    if (answer.error !== undefined) throw new TypeError(answer.error);
    return answer;
  };
  return {
    name: greeting.ready,
    async open(task) {
      const { name } = await ask({ do: "open", task: { op: task.op, sizes: task.sizes } });
      return {
        ...name !== undefined && { name },
        time: async (times) => (await ask({ do: "time", times })).seconds!,
        values: async (at) => (await ask({ do: "values", at })).values!.map((x) => x ?? NaN),
        close() {},
      };
    },
    [Symbol.asyncDispose]: end,
  };
}

/** The end of what a process says on standard error. */
async function lastLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let kept = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    kept = (kept + text).slice(-2000);
  }
  return kept.trim().split("\n").at(-1) ?? "";
}
