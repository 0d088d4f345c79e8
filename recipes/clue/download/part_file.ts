/**
 * A file that is on its way: what has come of it, and which version of it that was.
 *
 * @module
 */
import { isRecord } from "../../cli/schema.ts";
import { writeWhole } from "../../run/write_whole.ts";

/** Which version of a file a server sends. */
export interface Version {
  readonly url: string;
  /** What `If-Range` takes: a strong ETag, or when the file was changed. */
  readonly validator?: string;
}

/** The file while it is not whole. */
export const partPath = (path: string): string => `${path}.part`;
const versionPath = (path: string): string => `${partPath(path)}.json`;

/** The version that a response has, where it says so. */
export function versionOf(url: string, headers: Headers): Version {
  const etag = headers.get("etag"), strong = etag?.startsWith('"') ? etag : undefined;
  const validator = strong ?? headers.get("last-modified") ?? undefined;
  return { url, ...validator !== undefined && { validator } };
}

/** Notes which version is on its way. */
export async function keepVersion(path: string, version: Version): Promise<void> {
  await writeWhole(versionPath(path), JSON.stringify(version));
}

/** Removes what has come so far. */
export async function dropPart(path: string): Promise<void> {
  for (const one of [partPath(path), versionPath(path)]) {
    await Deno.remove(one).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

/** Makes the file of what has come: from here on it is there. */
export async function completePart(path: string): Promise<void> {
  await Deno.rename(partPath(path), path);
  await dropPart(path);
}

/** What has come of a file so far from this address: its size, and what `If-Range` takes. What is of no use is removed. */
export async function partOf(
  path: string,
  url: string,
): Promise<{ readonly bytes: number; readonly validator?: string }> {
  let version: unknown;
  try {
    version = JSON.parse(await Deno.readTextFile(versionPath(path)));
    const { size } = await Deno.stat(partPath(path));
    if (isRecord(version) && version.url === url) {
      const { validator } = version;
      return { bytes: size, ...typeof validator === "string" && { validator } };
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof SyntaxError)) throw error;
  }
  await dropPart(path);
  return { bytes: 0 };
}
