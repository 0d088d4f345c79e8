/**
 * The thread that speaks with other processes: it has the links, heartbeats and groups, and works on arrays in shared memory. It also
 * looks after the main thread, whose turns it sees counted.
 *
 * @module
 */
import { DistError } from "../error.ts";
import { type Group, joinGroup } from "../group/group.ts";
import { meet } from "../job/meet.ts";
import { jobNetwork } from "../job/network.ts";
import type { Door, Network } from "../net/network.ts";
import { shareMemory } from "../shm/host/share_memory.ts";
import { sharedMemory } from "../shm/network.ts";
import { openSockets } from "../transport/sockets.ts";
import type { Transport } from "../transport/transport.ts";
import type { GroupEvent } from "../observer.ts";
import { errorOf, wordsOf } from "./error_words.ts";
import { eventWords } from "./event_words.ts";
import type {
  GroupWords,
  NetworkWords,
  Opening,
  OperationWords,
  Order,
  Question,
  Report,
} from "./messages.ts";
import { watchTurns } from "./turns.ts";

const report = (words: Report): void => self.postMessage(words);

async function networkOf(words: NetworkWords, door: Door): Promise<Network> {
  if (words.kind === "shm") return sharedMemory(words.space, words.host);
  return await jobNetwork(words.tls, door);
}

/** The operation that the words say, on a group of this thread. */
function operate(group: Group, words: OperationWords, signal: AbortSignal): Promise<unknown> {
  const options = { ...words.options, signal };
  switch (words.name) {
    case "allReduce":
    case "reduceScatter":
    case "allGather":
      return group[words.name](words.array, options);
    case "allReduceShards":
      return group.allReduceShards(words.arrays, words.total, words.into, options);
    case "broadcast":
      return group.broadcast(words.array, words.root, options);
    case "barrier":
      return group.barrier(options);
    case "send":
    case "receive":
      return group[words.name](words.array, words.peer, options);
    case "split":
      return group.split(words.color, options);
  }
}

/** Answers what is asked about a transport and the groups on it. */
function answering(transport: Transport) {
  const groups: Group[] = [], running = new Map<number, AbortController>();
  const known = (group: Group): GroupWords => {
    const number = groups.push(group) - 1;
    group.onFailure((error) => report({ failed: number, error: wordsOf(error) }));
    return { group: number, rank: group.rank, size: group.size };
  };
  async function answer(
    id: number,
    question: Question,
  ): Promise<GroupWords | readonly string[] | undefined> {
    switch (question.ask) {
      case "join": {
        const { member, options, watched } = question;
        const observer = (event: GroupEvent): void =>
          report({ watched: id, seen: eventWords(event) });
        return known(
          await joinGroup(transport, member, { ...options, ...watched && { observer } }),
        );
      }
      case "meet":
        return await meet(transport, question.meeting);
      case "operate": {
        const { group, operation } = question, stop = new AbortController();
        running.set(id, stop);
        try {
          const result = await operate(groups[group]!, operation, stop.signal);
          return operation.name === "split" ? known(result as Group) : undefined;
        } finally {
          running.delete(id);
        }
      }
      case "leave":
        return void await groups[question.group]!.close();
      case "close":
        return void await transport.close();
    }
  }
  return {
    groups,
    takeBack: (id: number): void => running.get(id)?.abort(),
    ask(id: number, question: Question): void {
      answer(id, question).then(
        (answer) => report({ id, answer }),
        (error) => report({ id, error: wordsOf(error) }),
      );
    },
  };
}

let open: ReturnType<typeof answering> | undefined;

async function start({ network, memory, options, turns, hang }: Opening): Promise<void> {
  try {
    const door = { ...options, guarded: options.token !== undefined };
    const sockets = openSockets(await networkOf(network, door), options);
    const transport = memory ? shareMemory(sockets) : sockets;
    open = answering(transport);
    const { groups } = open;
    watchTurns(turns, hang, transport.clock, (ms) => {
      for (const group of groups) {
        const { rank } = group, seconds = (ms / 1000).toFixed(1);
        const text =
          `Cannot go on with rank ${rank}: its main thread has done nothing for ${seconds} s`;
        group.abort(new DistError(text, "stalled", { rank }));
      }
    });
    report({ address: transport.address });
  } catch (error) {
    report({ refused: wordsOf(error) });
  }
}

self.onmessage = ({ data }: MessageEvent<Order>): void => {
  if ("open" in data) start(data.open);
  else if ("question" in data) open!.ask(data.id, data.question);
  else if ("takeBack" in data) open!.takeBack(data.takeBack);
  else open!.groups[data.abort]!.abort(errorOf(data.error) as DistError);
};
