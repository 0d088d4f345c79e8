/** Golden values and data that lie beside the project where it is built, and nowhere else: suites that need them skip without. */
import { skip } from "./skip.ts";

/** The text of a shared file; undefined, and a skip with its reason, where it is absent. */
export async function shared(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(new URL(`../../shared/${path}`, import.meta.url));
  } catch {
    skip(path, "the shared data is not beside the project");
    return undefined;
  }
}
