/**
 * From a place in a job to a group of all its ranks, over the MPI that has started them.
 *
 * @module
 */
import { DistError } from "../error.ts";
import { joinGroup } from "../group/group.ts";
import { openMpi } from "../mpi/world.ts";
import { SILENCE } from "../transport/links.ts";
import type { JobMember, JobOptions } from "./join_job.ts";
import type { JobPlace } from "./place.ts";

/**
 * Becomes a rank of a job whose processes MPI has started. There is no address to meet at, and no token: MPI knows its processes.
 *
 * @throws RangeError if TLS or a thread is asked for; DistError "engine" if there is no MPI that can be used, "mismatch" if its world is
 * not the job's
 */
export async function joinMpi(
  { rank, size, job, generation, tls }: Pick<
    JobPlace,
    "rank" | "size" | "job" | "generation" | "tls"
  >,
  { plan, patience = 120_000, deadline, silence = SILENCE, thread, observer, library }:
    & JobOptions
    & { readonly library?: string },
): Promise<JobMember> {
  if (tls || thread) {
    throw new RangeError(
      `Cannot join by MPI ${
        tls ? "over TLS" : "in a thread"
      }: its library carries bytes itself, and the main thread asks after them`,
    );
  }
  const world = openMpi({ size, library });
  if (world.rank !== rank) {
    throw new DistError(
      `Cannot be rank ${rank}: ${world.description} says that this is rank ${world.rank}; leave RANK to what started this process`,
      "mismatch",
    );
  }
  const transport = world.transport({ silence });
  const { addresses } = world, member = { job, generation, group: "", rank, addresses, plan };
  const options = { deadline, joining: patience, observer };
  const group = await joinGroup(transport, member, options).catch(async (error) => {
    await transport.close();
    // Nobody can leave MPI before all do, or it ends all processes: not before this one's caller knows why.
    world.close().catch(() => {});
    throw error;
  });
  return {
    group,
    async close() {
      await group.close();
      await transport.close();
      await world.close();
    },
  };
}
