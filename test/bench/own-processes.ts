/** Processes that a benchmark started and that may still run, by what ends them. */
const running = new Set<() => void>();

/** Ends this process when the benchmark does, however that comes about. */
export function ownProcess(child: {
  readonly pid: number;
  readonly exited: Promise<unknown>;
}): void {
  const end = () => void process.kill(child.pid, "SIGKILL");
  running.add(end);
  void child.exited.finally(() => running.delete(end));
}

/** From now on, an interrupted benchmark leaves no process behind. */
export function endWithOwnProcesses(): void {
  process.once("exit", () => {
    for (const end of running) end();
  });
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
}
