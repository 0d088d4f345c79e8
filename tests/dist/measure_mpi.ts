/**
 * Measures all-reduces by MPI: a C program's in its main thread and in another one, the library's call by FFI, and a group's operation,
 * in turn, each checked:
 *
 *     deno run -A tests/dist/measure_mpi.ts [mpich|openmpi] [processes] [turns] [MiB, ...]
 *
 * Needs mpicc. Prints the least time of each and the ratios to C's.
 *
 * @module
 */
import { joinGroup } from "../../dist/group/group.ts";
import { openLibrary } from "../../dist/mpi/library.ts";
import { openMpi } from "../../dist/mpi/world.ts";
import { mpiCommand } from "./mpi.ts";

/** Rounds of one turn. */
const ROUNDS = 20;

const source = `
#include <mpi.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
static sem_t begun, ended;
static float *x;
static int n;
static void sum(void) {
  MPI_Allreduce(MPI_IN_PLACE, x, n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}
static void *sums(void *nothing) {
  for (;;) {
    sem_wait(&begun);
    sum();
    sem_post(&ended);
  }
}
static void sum_aside(void) {
  sem_post(&begun);
  sem_wait(&ended);
}
int main(int argc, char **argv) {
  int rank, size, provided;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  pthread_t other;
  sem_init(&begun, 0, 0);
  sem_init(&ended, 0, 0);
  pthread_create(&other, 0, sums, 0);
  for (int arg = 2; arg < argc; arg++) for (int aside = 0; aside < 2; aside++) {
    int rounds = atoi(argv[1]);
    n = atoi(argv[arg]) << 18;
    x = malloc(4L * n);
    double best = 1e9;
    for (int round = 0; round <= rounds; round++) {
      for (int i = 0; i < n; i++) x[i] = rank + 1;
      MPI_Barrier(MPI_COMM_WORLD);
      double t = MPI_Wtime();
      aside ? sum_aside() : sum();
      t = MPI_Wtime() - t;
      if (round > 0 && t < best) best = t;
      for (int i = 0; i < n; i++) if (x[i] != size * (size + 1) / 2) MPI_Abort(MPI_COMM_WORLD, 1);
    }
    free(x);
    if (rank == 0) printf("%s %s %.6f\\n", aside ? "thread" : "c", argv[arg], best * 1e3);
  }
  MPI_Finalize();
}
`;

/** As C's loop, about as fast: a slower one would leave the library's thread asleep for so long that the next sum begins cold. */
function isAll(array: Float32Array, x: number): boolean {
  for (let i = 0; i < array.length; i++) if (array[i] !== x) return false;
  return true;
}

async function child(rounds: number, mib: readonly number[]): Promise<void> {
  const world = openMpi(), { rank, size, addresses } = world, transport = world.transport();
  const member = { job: "measure", generation: 1, group: "", rank, addresses, plan: 0 };
  const group = await joinGroup(transport, member, { deadline: 60_000 });
  const { abi, calls, objects } = openLibrary(undefined, (name) => Deno.env.get(name));
  const { sum: op, types, world: comm } = objects, sum = size * (size + 1) / 2;
  const ways: Record<string, (array: Float32Array) => Promise<unknown>> = {
    call: (x) => calls.allReduceWaiting(abi.inPlace, x, x.length, types.f32, op, comm),
    group: (x) => group.allReduce(x),
  };
  for (const n of mib) {
    const array = new Float32Array(n * 2 ** 18);
    for (const [name, way] of Object.entries(ways)) {
      let best = Infinity;
      for (let round = 0; round <= rounds; round++) {
        array.fill(rank + 1);
        await calls.barrierWaiting(comm);
        const start = performance.now();
        await way(array);
        if (round > 0) best = Math.min(best, performance.now() - start);
        if (!isAll(array, sum)) throw new RangeError(`Cannot use a sum: not ${sum}`);
      }
      if (rank === 0) console.log(`${name} ${n} ${best.toFixed(6)}`);
    }
  }
  await group.close();
  await transport.close();
  await world.close();
}

async function output(command: readonly string[]): Promise<string> {
  const [name, ...args] = command as [string, ...string[]];
  const { code, stdout } = await new Deno.Command(name, { args, stderr: "inherit" }).output();
  if (code !== 0) throw new RangeError(`Cannot measure: ${command.join(" ")} ends with ${code}`);
  return new TextDecoder().decode(stdout);
}

async function main(which: string, size: number, turns: number, mib: readonly string[]) {
  const folder = await Deno.makeTempDir(), program = `${folder}/all_reduce`;
  await Deno.writeTextFile(`${program}.c`, source);
  await output([`mpicc.${which}`, "-O2", "-pthread", "-o", program, `${program}.c`]);
  const start = mpiCommand(which, size), best = new Map<string, number>();
  const here = [Deno.execPath(), "run", "-A", "--no-check", import.meta.filename!, "child"];
  for (let turn = 0; turn < turns; turn++) {
    for (const command of [[program], here]) {
      const text = await output([...start, ...command, String(ROUNDS), ...mib]);
      for (const [, name, ms] of text.matchAll(/^(\w+ \d+) ([\d.]+)$/gm)) {
        best.set(name!, Math.min(best.get(name!) ?? Infinity, Number(ms)));
      }
    }
  }
  await Deno.remove(folder, { recursive: true });
  for (const n of mib) {
    const c = best.get(`c ${n}`)!;
    const others = ["thread", "call", "group"].map((name) => {
      const ms = best.get(`${name} ${n}`)!;
      return `${name} ${ms.toFixed(3)} ms, ${(c / ms).toFixed(2)} of C's speed`;
    });
    console.log(
      `${which}, ${size} processes, ${n} MiB: C ${c.toFixed(3)} ms; ${others.join("; ")}`,
    );
  }
}

const [first = "mpich", ...rest] = Deno.args;
if (first === "child") {
  const [rounds, ...mib] = rest.map(Number) as [number, ...number[]];
  await child(rounds, mib);
} else {
  const [size = "2", turns = "3", ...mib] = rest;
  await main(first, Number(size), Number(turns), mib.length ? mib : ["1", "4", "25", "100"]);
}
