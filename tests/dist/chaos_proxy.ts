/** A door in front of another, on which bytes can be held back, delayed or damaged, each way. */
import { realClock, sleep } from "../../dist/clock.ts";

/** What becomes of the bytes of one direction. */
interface Way {
  isCut: boolean;
  /** Units: milliseconds. */
  delay: number;
  /** Bits of so many pieces to come are turned over. */
  damage: number;
}

/** A door. */
export interface Proxy {
  readonly port: number;
  readonly there: Way;
  readonly back: Way;
  close(): void;
}

/** Passes on to a port of this machine. */
export function openProxy(to: number): Proxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const way = (): Way => ({ isCut: false, delay: 0, damage: 0 }), there = way(), back = way();
  const open = new Set<Deno.Conn>();
  let isOpen = true, wasThere = false;
  const end = (connection: Deno.Conn): void => {
    open.delete(connection);
    try {
      connection.close();
    } catch { /* it is closed */ }
  };
  async function pass(from: Deno.Conn, into: Deno.Conn, way: Way): Promise<void> {
    const room = new Uint8Array(64 << 10);
    try {
      for (;;) {
        const count = await from.read(room);
        if (way.delay > 0) await sleep(realClock, way.delay);
        while (way.isCut && isOpen) await sleep(realClock, 20);
        if (count === null) break;
        if (way.damage > 0 && count > 8) {
          way.damage--;
          room[count >> 1]! ^= 4;
        }
        for (let at = 0; at < count;) at += await into.write(room.subarray(at, count));
      }
    } catch { /* one side has gone: so has the other */ }
    end(from);
    end(into);
  }
  (async () => {
    for await (const near of listener) {
      Deno.connect({ hostname: "127.0.0.1", port: to }).then((far) => {
        wasThere = true;
        for (const one of [near, far]) {
          open.add(one);
          one.setNoDelay(true);
        }
        pass(near, far, there);
        pass(far, near, back);
      }, () => {
        end(near);
        // Nobody is there yet; or any more, and then nor is this door.
        if (!wasThere) return;
        if (isOpen) listener.close();
        isOpen = false;
      });
    }
  })().catch(() => {});
  return {
    port: (listener.addr as Deno.NetAddr).port,
    there,
    back,
    close() {
      if (isOpen) listener.close();
      isOpen = false;
      for (const one of open) end(one);
    },
  };
}
