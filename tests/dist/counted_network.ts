/**
 * A network that counts what is written to it: everything, frames and heartbeats too.
 *
 * @module
 */
import type { Network } from "../../dist/net/network.ts";

/** The same network, whose senders say how many bytes were taken from them. A link's sender is who listens. */
export function countedNetwork(network: Network, add: (bytes: number) => void): Network {
  return {
    ...network,
    listen(door) {
      const listener = network.listen(door);
      return {
        ...listener,
        async accept() {
          const stream = await listener.accept();
          return {
            ...stream,
            async write(bytes) {
              const count = await stream.write(bytes);
              add(count);
              return count;
            },
          };
        },
      };
    },
  };
}
