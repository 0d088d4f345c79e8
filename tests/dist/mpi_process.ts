/**
 * One process of an MPI world, for tests: `mpi_process.ts die` sums until rank 1 kills itself, saying each process's number on a line;
 * `mpi_process.ts stop` sums until rank 1 stops itself, and the other says what has failed, and leaves MPI;
 * `mpi_process.ts late` has a rank that does not join, and the other says what has failed; `mpi_process.ts open SIZE [LIBRARY]` enters and leaves MPI, or says in one line why it cannot.
 *
 * @module
 */
import { DistError } from "../../dist/error.ts";
import { joinGroup } from "../../dist/group/group.ts";
import { joinJob } from "../../dist/job/join_job.ts";
import { jobPlace } from "../../dist/job/place.ts";
import { openMpi } from "../../dist/mpi/world.ts";

async function die(): Promise<never> {
  const { rank, addresses, transport } = openMpi();
  console.log(`process ${Deno.pid}`);
  const member = { job: "die", generation: 1, group: "", rank, addresses, plan: 0 };
  const group = await joinGroup(transport(), member), array = new Float32Array(2e5);
  for (let step = 0;; step++) {
    if (rank === 1 && step === 3) Deno.kill(Deno.pid, "SIGKILL");
    await group.allReduce(array.fill(1));
  }
}

async function open(size: number, library: string | undefined): Promise<void> {
  try {
    const world = openMpi({ size, library });
    console.log(`rank ${world.rank} of ${world.size}: ${world.description}`);
    await world.close();
  } catch (error) {
    if (!(error instanceof DistError)) throw error;
    console.log(`${error.failure}: ${error.message}`);
  }
}

async function stop(): Promise<void> {
  const world = openMpi(), { rank, addresses } = world;
  const transport = world.transport({ silence: 2000 });
  const member = { job: "stop", generation: 1, group: "", rank, addresses, plan: 0 };
  const group = await joinGroup(transport, member), array = new Float32Array(2e5);
  try {
    for (let step = 0;; step++) {
      if (rank === 1 && step === 3) Deno.kill(Deno.pid, "SIGSTOP");
      await group.allReduce(array.fill(1));
    }
  } catch (error) {
    if (!(error instanceof DistError)) throw error;
    console.log(`failed: ${error.failure} ${error.rank}`);
  }
  await transport.close();
  await world.close();
}

/** Rank 0 joins; rank 1 only enters MPI, and leaves it after a while. */
async function late(): Promise<void> {
  const place = jobPlace((name) => Deno.env.get(name))!;
  if (place.rank === 1) {
    const world = openMpi();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    return await world.close();
  }
  try {
    await joinJob(place, { plan: 0, engine: "mpi", patience: 1000, deadline: 60_000 });
  } catch (error) {
    if (!(error instanceof DistError)) throw error;
    console.log(`failed: ${error.failure} ${error.rank}`);
  }
}

const [what, size, library] = Deno.args;
if (what === "die") await die();
else if (what === "stop") await stop();
else if (what === "late") await late();
else await open(Number(size), library);
