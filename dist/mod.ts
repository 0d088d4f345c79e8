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
export { int8 } from "./compress/int8.ts";
export { type Compression, type Memory, type Remembered, type Seat } from "./compress/memory.ts";
export { isLowRank, powerSgd } from "./compress/power_sgd.ts";
export { sign } from "./compress/sign.ts";
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
  type Engine,
  type Incoming,
  type Lane,
  type Links,
  type Meeting,
  type Membership,
  type Outgoing,
  type Transport,
  type TransportDoor,
} from "./transport/transport.ts";
