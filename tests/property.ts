/**
 * fast-check with one seed: a property holds for the same cases in every run, so that no run fails by a rare draw. `MOTIAN_SEED=N` takes
 * other cases, of which a failure prints seed and path; what is found so becomes an example or a test of its own.
 *
 * @module
 */
import fc from "npm:fast-check@4.10.2";

const SEED = 20260;

fc.configureGlobal({
  ...fc.readConfigureGlobal(),
  seed: Number(Deno.env.get("MOTIAN_SEED") ?? SEED),
});

export { fc };
