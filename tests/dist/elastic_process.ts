/**
 * One member of an elastic job as a process of its own, for tests: `elastic_process.ts NAME PORT FOUNDERS SILENCE STEPS`. Takes steps
 * with the others and writes a line of JSON for every step, every failure of a generation with the time, and its end.
 *
 * @module
 */
import { DistError } from "../../dist/error.ts";
import { joinElastic } from "../../dist/job/join_elastic.ts";
import { levelState } from "../../dist/elastic/level_state.ts";
import { elasticPlace } from "../../dist/job/elastic_place.ts";
import { begin, bitsOf, takeStep } from "./steps.ts";

const [name = "", port = "0", founders = "", silenceText = "0", stepsText = "0"] = Deno.args;
const silence = Number(silenceText), steps = Number(stepsText);
const say = (line: object): void => console.log(JSON.stringify({ at: Date.now(), ...line }));
const variables = new Map([
  ["MOTIAN_MEMBER", `${name}=ws://127.0.0.1:${port}`],
  ["MOTIAN_FOUNDERS", founders],
  ["MOTIAN_TOKEN", "of the test"],
]);
const isFounder = founders.split(",").some((seat) => seat.startsWith(`${name}=`));
const parameters = begin(20_000);
let step = isFounder ? 0 : -1;
say({ begun: Deno.pid });
const place = elasticPlace((name) => variables.get(name))!;
try {
  const options = {
    plan: 7,
    silence,
    joining: 60_000,
    deadline: 60_000,
    patience: 10 * silence,
  };
  const bits = await joinElastic(place, {
    ...options,
    onTerm: ({ generation, members }, why) =>
      say({ generation, size: members.length, why: why?.message, rank: why?.rank }),
  }, async (term) => {
    const { group } = term, held = parameters.slice();
    step = await levelState(group, { step, leaves: [["parameters", held]] });
    parameters.set(held);
    while (step < steps) {
      const next = parameters.slice();
      await takeStep(group, next, step).catch((error) => {
        say({ failed: error.failure, rank: error.rank });
        throw error;
      });
      parameters.set(next);
      step++;
      say({ step });
      term.stepped();
      await new Promise((resolve) => setTimeout(resolve, 4));
      const [word] = await group.broadcast(Uint8Array.of(term.waiting), 0);
      if (word! > 0 && step < steps) throw term.renewal();
    }
    return bitsOf(parameters);
  });
  say(bits === undefined ? { end: "over" } : { end: "done", bits });
} catch (error) {
  if (!(error instanceof DistError)) throw error;
  say({ end: error.failure, rank: error.rank, message: error.message });
}
