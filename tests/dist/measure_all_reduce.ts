/**
 * Measures all-reduces of several processes, each checked:
 *
 *     deno run -A tests/dist/measure_all_reduce.ts [processes] [rounds] [MiB, ...]
 *
 * @module
 */
import { tcp } from "../../dist/net/tcp.ts";
import { joinGroup } from "../../dist/group/group.ts";
import { openSockets } from "../../dist/transport/sockets.ts";

async function child(
  rank: number,
  size: number,
  rounds: number,
  mib: readonly number[],
): Promise<void> {
  const transport = openSockets(tcp(), { hostname: "127.0.0.1", port: 0 });
  console.log(transport.address);
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of Deno.stdin.readable) {
    text += decoder.decode(bytes);
    if (text.includes("\n")) break;
  }
  const member = {
    job: "measure",
    generation: 1,
    group: "",
    plan: 0,
    rank,
    addresses: text.trim().split(" "),
  };
  const group = await joinGroup(transport, member, { deadline: 60_000 });
  for (const n of mib) {
    const array = new Float32Array(n * 2 ** 18), times: number[] = [], sum = size * (size + 1) / 2;
    for (let round = 0; round <= rounds; round++) {
      array.fill(rank + 1);
      await group.barrier();
      const start = performance.now();
      await group.allReduce(array);
      if (round > 0) times.push(performance.now() - start);
      if (array.some((x) => x !== sum)) throw new RangeError(`Cannot use a sum: not ${sum}`);
    }
    times.sort((a, b) => a - b);
    if (rank > 0) continue;
    const [best, median] = [times[0]!, times[times.length >> 1]!].map((t) => t.toFixed(2));
    console.error(`${size} processes, ${n} MiB: best ${best} ms, median ${median} ms`);
  }
  await group.close();
  await transport.close();
}

async function main(size: number, rest: readonly string[]): Promise<void> {
  const processes = Array.from({ length: size }, (_, rank) =>
    new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        import.meta.filename!,
        "child",
        String(rank),
        String(size),
        ...rest,
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn());
  const addresses = await Promise.all(processes.map(async ({ stdout }) => {
    const { value } = await stdout.getReader().read();
    return new TextDecoder().decode(value).trim();
  }));
  for (const { stdin } of processes) {
    const writer = stdin.getWriter();
    await writer.write(new TextEncoder().encode(addresses.join(" ") + "\n"));
  }
  await Promise.all(processes.map(({ status }) => status));
}

const [first, ...rest] = Deno.args;
if (first === "child") {
  const [rank, size, rounds, ...mib] = rest.map(Number) as [number, number, number, ...number[]];
  await child(rank, size, rounds, mib);
} else {
  const [rounds = "7", ...mib] = rest;
  await main(Number(first ?? 2), [rounds, ...(mib.length ? mib : ["100"])]);
}
