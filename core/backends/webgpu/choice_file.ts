/**
 * Where the choices of a search are kept: one JSON file for all devices of a user. It is a convenience: a file that cannot be
 * read, or does not hold what it should, is as good as none, and the report says so.
 *
 * @module
 */
import { files } from "../../io/files.ts";

/** Changes whenever the names of classes or of members mean something else. */
const FORMAT = "motian matmul choices 1";

/** Names of members by names of classes. */
export type Named = ReadonlyMap<string, string>;

interface Contents {
  readonly format: string;
  readonly devices: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A part of Node's modules, found without an import, which a browser bundle would stumble over. */
interface NodeProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  getBuiltinModule(name: "node:os"): { homedir(): string };
}

/**
 * The file in the user's cache folder.
 *
 * @throws {TypeError} where there is no such folder, as in a browser.
 */
export function defaultChoiceFile(): string {
  const { process } = globalThis as { process?: NodeProcess };
  if (!process?.getBuiltinModule) {
    throw new TypeError("Cannot keep choices here: a browser has no cache folder");
  }
  const home = (): string => process.getBuiltinModule("node:os").homedir();
  const folder = process.platform === "win32"
    ? process.env.LOCALAPPDATA ?? `${home()}/AppData/Local`
    : process.platform === "darwin"
    ? `${home()}/Library/Caches`
    : process.env.XDG_CACHE_HOME || `${home()}/.cache`;
  return `${folder}/motian/matmul.json`;
}

/** All that the choices of one device depend on: the adapter, its driver as far as it is told, and the runtime. */
export function deviceKey({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  return [vendor, architecture, device, description, navigator.userAgent].join(" | ");
}

async function contentsOf(path: string): Promise<Contents> {
  const file = await files().open(path, "r");
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    await file.read(bytes, 0, bytes.length, 0);
    const found: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (!isContents(found)) throw new TypeError(`Not of the format "${FORMAT}"`);
    return found;
  } finally {
    await file.close();
  }
}

function isContents(x: unknown): x is Contents {
  const isRecord = (y: unknown): y is Record<string, unknown> =>
    typeof y === "object" && y !== null && !Array.isArray(y);
  return isRecord(x) && x.format === FORMAT && isRecord(x.devices) &&
    Object.values(x.devices).every((d) =>
      isRecord(d) && Object.values(d).every((name) => typeof name === "string")
    );
}

const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === "ENOENT";

/** What the file holds for a device; nothing, and a line to `report`, if it cannot be used. */
export async function loadChoices(
  path: string,
  key: string,
  report: (line: string) => void,
): Promise<Named> {
  try {
    return new Map(Object.entries((await contentsOf(path)).devices[key] ?? {}));
  } catch (error) {
    if (!isMissing(error)) report(`Ignoring ${path}: ${(error as Error).message}`);
    return new Map();
  }
}

/** Adds choices of a device to the file. A reader finds the old file or the new one, never a part. */
export async function saveChoices(
  path: string,
  key: string,
  found: Named,
  report: (line: string) => void,
): Promise<void> {
  try {
    const devices = await contentsOf(path).then(
      (c) => c.devices,
      () => ({} as Contents["devices"]),
    );
    const own = { ...devices[key], ...Object.fromEntries(found) };
    const text = JSON.stringify({ format: FORMAT, devices: { ...devices, [key]: own } }, null, 2);
    const { mkdir, open, rename } = files(), partial = `${path}.${crypto.randomUUID()}`;
    const folder = path.replace(/[/\\][^/\\]*$/, "");
    if (folder !== path) await mkdir(folder, { recursive: true });
    const file = await open(partial, "w");
    try {
      await file.write(new TextEncoder().encode(text));
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (error) {
    report(
      `Cannot keep choices in ${path}: ${(error as Error).message}; the next run searches again`,
    );
  }
}
