/** A rank whose main thread hangs: joins through a thread of its own, and then never gives the event loop a turn again. */
import { joinGroup } from "../../dist/group/group.ts";
import { openThread } from "../../dist/thread/open_thread.ts";

/** What the worker is given. */
export interface Hanging {
  /** Where rank 0 listens. */
  readonly first: string;
  /** Units: milliseconds. */
  readonly hang: number;
}

self.onmessage = async ({ data: { first, hang } }: MessageEvent<Hanging>) => {
  const place = { hostname: "127.0.0.1", port: 0 };
  const transport = await openThread({ network: { kind: "tcp" }, ...place, hang });
  self.postMessage(transport.address);
  const addresses = [first, transport.address];
  const member = { job: "hang", generation: 1, group: "", rank: 1, addresses, plan: 0 };
  const group = await joinGroup(transport, member);
  await group.barrier();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};
