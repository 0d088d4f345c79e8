import { assert, assertEquals } from "@std/assert";
import { kill } from "./kill.ts";

Deno.test("kill ends what runs, and takes an end that came first", async () => {
  const spawn = (program: string) =>
    new Deno.Command(Deno.execPath(), { args: ["eval", program] }).spawn();
  const running = spawn("setInterval(() => {}, 1000)");
  assert(kill(running));
  assertEquals((await running.status).signal, "SIGKILL");
  assert(!kill(running));
});
