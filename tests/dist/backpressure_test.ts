/** A receiver that has stopped costs the sender what the system holds on the way, and no more. */
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { type Cost, networks } from "./backpressure_process.ts";

const MiB = 1 << 20, here = (name: string): string => fromFileUrl(new URL(name, import.meta.url));

for (const name of Object.keys(networks)) {
  Deno.test(`a stopped receiver: the sender's memory grows by less than 64 MiB, ${name}`, async () => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-check", "--allow-all", `--config=${here("../../deno.json")}`],
        ...[here("backpressure_process.ts"), name],
      ],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const { taken, grown, refused } = JSON.parse(new TextDecoder().decode(stdout)) as Cost;
    // What the system holds on the way is its own affair, and a few MiB on most machines.
    assertLess(taken, 256 * MiB);
    assertLess(grown, 64 * MiB);
    // One or two may have gone out before all was full.
    assertGreater(refused, 16);
  });
}
