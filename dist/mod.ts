/**
 * Many processes, one sum: groups of ranks that exchange arrays over sockets.
 *
 * @module
 */
export { type Clock } from "./clock.ts";
export { codedSum } from "./compress/coded_sum.ts";
export { type Codec } from "./compress/codec.ts";
export {
  type CompressedExchange,
  type CompressedOptions,
  createCompressedExchange,
} from "./compress/compressed_exchange.ts";
export { int4 } from "./compress/int4.ts";
export { int8 } from "./compress/int8.ts";
export { type Compression, type Memory, type Remembered, type Seat } from "./compress/memory.ts";
export { isLowRank, powerSgd } from "./compress/power_sgd.ts";
export { sign } from "./compress/sign.ts";
export { type Council, type Trouble } from "./elastic/council.ts";
export { etcdCouncil, type EtcdCouncilOptions } from "./elastic/etcd_council.ts";
export { giveState, type HeldState, levelState } from "./elastic/level_state.ts";
export { type Looked } from "./elastic/look_at.ts";
export { peerCouncil, type PeerCouncilOptions } from "./elastic/peer_council.ts";
export { type Roster, type Seat as RosterSeat } from "./elastic/roster.ts";
export { type ElasticOptions, runElastic, type Term } from "./elastic/run_elastic.ts";
export { DistError, type DistErrorOptions, type DistFailure } from "./error.ts";
export { chunkOf, type Span } from "./group/chunk.ts";
export {
  type Group,
  type GroupOptions,
  type GroupTransport,
  joinGroup,
  type OperationOptions,
  type ReduceOptions,
  type ShardOptions,
} from "./group/group.ts";
export { type Operation, type Ways } from "./group/operation.ts";
export { type ShardNode } from "./group/shard_tree.ts";
export { type ShardSums } from "./group/shards.ts";
export { type ElasticPlace, elasticPlace } from "./job/elastic_place.ts";
export { type ElasticJobOptions, joinElastic } from "./job/join_elastic.ts";
export { type JobMember, type JobOptions, type JobThread, joinJob } from "./job/join_job.ts";
export { type JobPlace, jobPlace, type JobTls, jobVariables } from "./job/place.ts";
export { type WireArray } from "./message/array.ts";
export { type Reduction } from "./message/header.ts";
export { type PartReceiver, type PartSender } from "./message/parts.ts";
export {
  type ByteStream,
  type Door,
  type Listener,
  type Network,
  type Place,
} from "./net/network.ts";
export { mutualTls } from "./net/mutual_tls.ts";
export { tcp } from "./net/tcp.ts";
export { type TlsFiles } from "./net/tls.ts";
export {
  type GroupEvent,
  type GroupSeen,
  type Observer,
  type OperationOpen,
  type OperationSeen,
} from "./observer.ts";
export { type MpiOptions, type MpiWorld, openMpi } from "./mpi/world.ts";
export { alone, type Collective } from "./parallel/alone.ts";
export { type Bucket, type BucketPart, bucketsOf, planHash } from "./parallel/buckets.ts";
export { compareChecksums, type NamedArray } from "./parallel/checksums.ts";
export {
  addLeaves,
  createExchange,
  type Exchange,
  type Exchanged,
  type ExchangeOptions,
  type PlainExchange,
} from "./parallel/exchange.ts";
export { fragmentBegunAfter, type FragmentPlan, fragmentsOf } from "./parallel/fragments.ts";
export { createOuter, type Outer, type OuterOptions } from "./parallel/outer.ts";
export { type OuterWire, outerWires } from "./parallel/outer_sum.ts";
export { mixInto, type OuterRates, type OuterState, outerStep } from "./parallel/outer_step.ts";
export { ownersOf, shareLeaves } from "./parallel/owners.ts";
export { type SharingOptions } from "./shm/host/engine.ts";
export { processMemory } from "./shm/host/network.ts";
export { shareMemory } from "./shm/host/share_memory.ts";
export { sharedMemory } from "./shm/network.ts";
export { createSharedSpace, type SharedSpace, type SharedSpaceOptions } from "./shm/space.ts";
export { type NetworkWords } from "./thread/messages.ts";
export { openThread, type ThreadOptions } from "./thread/open_thread.ts";
export { openSockets, type SocketTransportOptions } from "./transport/sockets.ts";
export { createToken } from "./transport/token_term.ts";
export {
  type AskingTransport,
  type Engine,
  type Incoming,
  type Lane,
  type Links,
  type Meeting,
  type Membership,
  type Outgoing,
  type Question,
  type Transport,
  type TransportDoor,
} from "./transport/transport.ts";
