import { type JobPlace, jobPlace, jobVariables } from "../../dist/mod.ts";
import { InputError } from "../cli/input_error.ts";

/**
 * This process's place in a job, if whoever started it says that there is one.
 *
 * @throws InputError where the environment contradicts itself
 */
export function placeHere(): JobPlace | undefined {
  const isAllowed = (variable: string): boolean =>
    Deno.permissions.querySync({ name: "env", variable }).state === "granted";
  if (!jobVariables.every(isAllowed)) return undefined;
  try {
    const place = jobPlace((name) => Deno.env.get(name));
    return place && place.size > 1 ? place : undefined;
  } catch (error) {
    if (error instanceof RangeError) throw new InputError(error.message);
    throw error;
  }
}
