/** The functions that end processes that a benchmark has started and that may still run. */
const running = new Set<() => void>();

/** Ends this process when the benchmark ends, for whatever reason. */
export function ownProcess(child: {
  readonly pid: number;
  readonly exited: Promise<unknown>;
}): void {
  const end = () => void process.kill(child.pid, "SIGKILL");
  running.add(end);
  void child.exited.finally(() => running.delete(end));
}

/** Makes sure that an interrupted benchmark leaves no process behind. */
export function endWithOwnProcesses(): void {
  process.once("exit", () => {
    for (const end of running) end();
  });
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
}
