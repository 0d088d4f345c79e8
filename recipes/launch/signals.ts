/** Signals that a launcher passes on. */
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Calls `f` for each of them that comes, until the function that it gives is called. */
export function onSignals(f: (signal: Deno.Signal) => void): () => void {
  const stops = FORWARDED.map((signal) => {
    const heard = (): void => f(signal);
    Deno.addSignalListener(signal, heard);
    return () => Deno.removeSignalListener(signal, heard);
  });
  return () => stops.forEach((stop) => stop());
}
