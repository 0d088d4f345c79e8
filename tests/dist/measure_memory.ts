/**
 * Measures all-reduces of processes of one host: through memory, through streams of bytes in memory, through sockets, by MPI in C, by
 * Open MPI and by PyTorch's Gloo over TCP, in turn, each checked:
 *
 *     deno run -A tests/dist/measure_memory.ts [processes] [turns] [MiB, ...]
 *
 * Needs mpicc of each MPI, and a python3 with torch, that are to be compared with. Prints the least time of each, its median, and how many
 * times as long as through memory it took.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { joinGroup } from "../../dist/group/group.ts";
import { tcp } from "../../dist/net/tcp.ts";
import { processMemory } from "../../dist/shm/host/network.ts";
import { shareMemory } from "../../dist/shm/host/share_memory.ts";
import { openSockets } from "../../dist/transport/sockets.ts";
import { python } from "../../recipes/bench/peers/environment.ts";
import { freePort } from "../../recipes/launch/free_port.ts";
import { hasMpi, mpiCommand, mpis } from "./mpi.ts";

/** Rounds of one turn that count, and before them some that do not: code is compiled as it turns out to be used. */
const ROUNDS = 12, WARM = 6;

const source = `
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
  int rank, size;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  for (int arg = 2; arg < argc; arg++) {
    long n = atof(argv[arg]) * 262144;
    int rounds = atoi(argv[1]);
    float *x = malloc(4 * n);
    for (int round = -${WARM}; round < rounds; round++) {
      for (long i = 0; i < n; i++) x[i] = rank + 1;
      MPI_Barrier(MPI_COMM_WORLD);
      double t = MPI_Wtime();
      MPI_Allreduce(MPI_IN_PLACE, x, n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
      t = MPI_Wtime() - t;
      for (long i = 0; i < n; i++) if (x[i] != size * (size + 1) / 2) MPI_Abort(MPI_COMM_WORLD, 1);
      if (rank == 0 && round >= 0) printf("%s %.6f\\n", argv[arg], t * 1e3);
    }
    free(x);
  }
  MPI_Finalize();
}
`;

/** One rank: prints what each sum took. */
async function child(way: string, rank: number, port: number, mib: readonly number[]) {
  const network = way === "streams" ? processMemory() : tcp();
  const sockets = openSockets(network, {
    hostname: "127.0.0.1",
    port: port + rank,
    // On a busy machine looking at a sum takes long.
    silence: 120_000,
  });
  const transport = way === "memory" ? shareMemory(sockets) : sockets;
  const size = Number(Deno.env.get("MEASURE_SIZE"));
  const addresses = Array.from(
    { length: size },
    (_, r) => `${network.scheme}://127.0.0.1:${port + r}`,
  );
  const member = { job: "measure", generation: 1, group: "", plan: 0, rank, addresses };
  const group = await joinGroup(transport, member, { deadline: 60_000 });
  for (const n of mib) {
    const array = new Float32Array(n * 2 ** 18), sum = size * (size + 1) / 2;
    for (let round = -WARM; round < ROUNDS; round++) {
      array.fill(rank + 1);
      await group.barrier();
      const start = performance.now();
      await group.allReduce(array);
      if (rank === 0 && round >= 0) console.log(`${n} ${(performance.now() - start).toFixed(6)}`);
      if (array.some((x) => x !== sum)) throw new RangeError(`Cannot use a sum: not ${sum}`);
    }
  }
  await group.close();
  await transport.close();
}

async function lines(command: readonly string[], size: number): Promise<string> {
  const [name = "", ...args] = command, env = { MEASURE_SIZE: String(size) };
  const { code, stdout, stderr } = await new Deno.Command(name, { args, env }).output();
  if (code === 0) return new TextDecoder().decode(stdout);
  throw new RangeError(`Cannot run ${command.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

async function main(size: number, turns: number, mib: readonly string[]): Promise<void> {
  const deno = [Deno.execPath(), "run", "-A", "--no-check", import.meta.filename!, "child"];
  const ours = (way: string) => async (): Promise<string> => {
    // Ports that follow one another: the first is free, the others are hoped to be.
    const port = String(freePort());
    const ranks = Array.from(
      { length: size },
      (_, r) => lines([...deno, way, String(r), port, ...mib], size),
    );
    return (await Promise.all(ranks)).join("");
  };
  const folder = await Deno.makeTempDir(), ways: [string, () => Promise<string>][] = [];
  await Deno.writeTextFile(`${folder}/sum.c`, source);
  for (const way of ["memory", "streams", "ws"]) ways.push([way, ours(way)]);
  for (const which of mpis) {
    if (!await hasMpi(which)) continue;
    const program = `${folder}/${which}`;
    await lines([`mpicc.${which}`, "-O2", "-o", program, `${folder}/sum.c`], size);
    const [start = "", ...args] = mpiCommand(which, size), own = [program, String(ROUNDS), ...mib];
    ways.push([which, () => lines([start, ...args, ...own], size)]);
    if (which !== "openmpi") continue;
    const overTcp = ["--mca", "btl", "tcp,self"];
    ways.push(["openmpi over TCP", () => lines([start, ...overTcp, ...args, ...own], size)]);
  }
  if (await lines([python, "-c", "import torch"], size).then(() => true, () => false)) {
    const script = fromFileUrl(new URL("all_reduce_gloo.py", import.meta.url));
    ways.push(["gloo", async () => {
      const counts = [size, freePort(), WARM, ROUNDS].map(String);
      const ranks = Array.from(
        { length: size },
        (_, r) => lines([python, script, String(r), ...counts, ...mib], size),
      );
      return (await Promise.all(ranks)).join("");
    }]);
  }
  const times = new Map<string, number[]>();
  for (let turn = 0; turn < turns; turn++) {
    for (const [name, run] of ways) {
      for (const line of (await run()).trim().split("\n")) {
        const [n, ms] = line.split(" "), key = `${name} ${n}`;
        times.set(key, [...times.get(key) ?? [], Number(ms)]);
      }
    }
  }
  await Deno.remove(folder, { recursive: true });
  for (const n of mib) {
    const figures = (name: string) => {
      const all = times.get(`${name} ${n}`)!.toSorted((a, b) => a - b);
      return { best: all[0]!, median: all[all.length >> 1]! };
    };
    const base = figures("memory");
    for (const [name] of ways) {
      const { best, median } = figures(name);
      console.log(
        `${size} processes, ${n} MiB, ${name}: best ${best.toFixed(3)} ms (${
          (best / base.best).toFixed(2)
        }), median ${median.toFixed(3)} ms (${(median / base.median).toFixed(2)})`,
      );
    }
  }
}

const [first, ...rest] = Deno.args;
if (first === "child") {
  const [way = "", rank, port, ...mib] = rest;
  await child(way, Number(rank), Number(port), mib.map(Number));
} else {
  const [turns = "3", ...mib] = rest;
  await main(Number(first ?? 2), Number(turns), mib.length ? mib : ["100", "25", "1", "0.0625"]);
}
