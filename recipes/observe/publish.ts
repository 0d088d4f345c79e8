/**
 * Where metrics can be read: on a port of this machine's own address, or in a file, as node_exporter's textfile collector takes it.
 *
 * @module
 */
import { InputError } from "../cli/input_error.ts";
import { reasonOf } from "../cli/reason.ts";
import { writeWhole } from "../run/write_whole.ts";
import { type Metric, metricsText } from "./metrics.ts";

/** Metrics that can be read. */
export interface Published {
  /** Where, in words. */
  readonly where: string;
  /** There is something new: files are written. */
  changed(): void;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";

/**
 * Publishes metrics on the port or in the file that `target` names. `note` is told when the file can no longer be written.
 *
 * @throws InputError where that cannot be used
 */
export async function publish(
  target: string,
  metrics: () => readonly Metric[],
  note: (line: string) => void,
): Promise<Published> {
  return /^\d+$/.test(target)
    ? served(Number(target), metrics)
    : await written(target, metrics, note);
}

function served(port: number, metrics: () => readonly Metric[]): Published {
  if (port > 65_535) {
    throw new InputError(`Cannot serve metrics on port ${port}: 65535 is the last`);
  }
  const type = "text/plain; version=0.0.4; charset=utf-8";
  try {
    const server = Deno.serve({ hostname: HOST, port, onListen: () => {} }, (request) => {
      if (new URL(request.url).pathname !== "/metrics") {
        return new Response("there is only /metrics\n", { status: 404 });
      }
      if (request.method !== "GET" && request.method !== "HEAD") {
        return new Response("/metrics takes GET\n", {
          status: 405,
          headers: { allow: "GET, HEAD" },
        });
      }
      return new Response(metricsText(metrics()), { headers: { "content-type": type } });
    });
    return {
      where: `http://${HOST}:${server.addr.port}/metrics`,
      changed: () => {},
      close: () => server.shutdown(),
    };
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new InputError(
        `Cannot serve metrics on port ${port}: somebody listens there; take another, or a file`,
      );
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new InputError(
        `Cannot serve metrics on port ${port}: this process may not listen there`,
      );
    }
    throw error;
  }
}

async function written(
  path: string,
  metrics: () => readonly Metric[],
  note: (line: string) => void,
): Promise<Published> {
  const write = (): Promise<void> => writeWhole(path, metricsText(metrics()));
  const failed = (error: unknown): string => `Cannot write metrics to ${path}: ${reasonOf(error)}`;
  await write().catch((error) => {
    throw new InputError(failed(error));
  });
  let last: Promise<void> = Promise.resolve(), waits = false, isStale = false;
  return {
    where: path,
    changed() {
      // One that waits writes what there is by then.
      if (waits) return;
      waits = true;
      last = last.then(() => {
        waits = false;
        return write();
      }).then(() => {
        isStale = false;
      }, (error) => {
        // A full disk must not end the run: the next row tries again.
        if (!isStale) note(failed(error));
        isStale = true;
      });
    },
    close: () => last,
  };
}
