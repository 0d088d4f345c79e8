/**
 * From a place in an elastic job to work that goes on while members come and go.
 *
 * @module
 */
import { peerCouncil, type PeerCouncilOptions } from "../elastic/peer_council.ts";
import { type ElasticOptions, runElastic, type Term } from "../elastic/run_elastic.ts";
import { tcp } from "../net/tcp.ts";
import { SILENCE } from "../transport/links.ts";
import { openSockets } from "../transport/sockets.ts";
import type { ElasticPlace } from "./elastic_place.ts";

/** What all members must agree on, and how patient they are. */
export type ElasticJobOptions =
  & Omit<ElasticOptions, "job">
  & Pick<PeerCouncilOptions, "patience" | "fence">;

/**
 * Takes part in an elastic job over TCP, whose members decide among themselves who they are; gives what `runElastic` gives.
 *
 * @throws DistError, and what the work throws
 */
export function joinElastic<T>(
  { seat: { name }, door, founders, job, token }: ElasticPlace,
  { silence = SILENCE, patience, fence, ...options }: ElasticJobOptions,
  work: (term: Term) => Promise<T>,
): Promise<T | undefined> {
  const transport = openSockets(tcp(), { ...door, silence, ...token && { token } });
  const council = peerCouncil(transport, {
    ...{ name, job, plan: options.plan, founders, silence, patience, fence },
  });
  return runElastic(council, transport, { ...options, job, silence }, work);
}
