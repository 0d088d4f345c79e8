/**
 * Kills a process, and says whether it still ran. Its end reaches its promises a moment after the system knows of it,
 * and `kill` throws in between: so no flag that a promise sets can tell.
 */
export function kill(process: Deno.ChildProcess, signal: Deno.Signal = "SIGKILL"): boolean {
  try {
    process.kill(signal);
    return true;
  } catch (error) {
    if (error instanceof TypeError && error.message === "Child process has already terminated") {
      return false;
    }
    throw error;
  }
}
