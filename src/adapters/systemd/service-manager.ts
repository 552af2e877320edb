import type { TimerClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import { type NotifySocket, openNotifySocket } from "./notify-socket.ts";

/**
 * Reports the state of the receiver to systemd, in a unit with `Type=notify`. Elsewhere it does
 * nothing. Source: sd_notify(3), sd_watchdog_enabled(3).
 */
export interface ServiceManager {
  /** Reports that the receiver is ready, and from then on that it is alive. */
  ready(status: string): void;
  /** Reports a reload around this action. */
  reload(action: () => Promise<void>): Promise<void>;
  stopping(status: string): void;
  /** No longer reports that the receiver is alive. */
  close(): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface ManagerParts {
  readonly env: Environment;
  readonly logger: Logger;
  readonly clock: TimerClock;
  readonly pid?: number;
}

/** Returns the manager of the environment. It never throws, and a failure is one log line. */
export function openServiceManager({
  env,
  logger,
  clock,
  pid = process.pid,
}: ManagerParts): ServiceManager {
  const { NOTIFY_SOCKET: address = "" } = env;
  if (address === "") return NO_MANAGER;
  const socket = openNotifySocket(address);
  if (socket === undefined) return withoutSocket(logger);
  return managerOf(socket, { logger, clock, watchdogMs: watchdogMs(env, pid) });
}

const NO_MANAGER: ServiceManager = {
  ready: () => {},
  reload: (action) => action(),
  stopping: () => {},
  close: () => {},
};

const HINT = "systemd does not learn the state: check NOTIFY_SOCKET, or use a unit of Type=exec";

function withoutSocket(logger: Logger): ServiceManager {
  logger.warning("cannot_notify", { hint: HINT });
  return NO_MANAGER;
}

/** Returns the limit of the watchdog of this process; undefined if it has none. */
function watchdogMs(env: Environment, pid: number): number | undefined {
  const { WATCHDOG_USEC: micros = "", WATCHDOG_PID: watched = "" } = env;
  const isOther = watched !== "" && watched !== String(pid);
  return isOther || !/^[1-9]\d*$/.test(micros) ? undefined : Number(micros) / 1_000;
}

interface NotifyParts {
  readonly logger: Logger;
  readonly clock: TimerClock;
  readonly watchdogMs: number | undefined;
}

function managerOf(socket: NotifySocket, parts: NotifyParts): ServiceManager {
  const { logger, clock, watchdogMs: limitMs } = parts;
  let hasFailed = false;
  let isStopping = false;
  let reloads = 0;
  let endWatchdog: (() => void) | undefined;
  const send = (...lines: readonly string[]): void => {
    if (socket.send(lines.join("\n")) || hasFailed) return;
    hasFailed = true;
    logger.warning("cannot_notify", { hint: HINT });
  };
  return {
    ready: (status) => {
      send("READY=1", `STATUS=${status}`);
      if (limitMs === undefined) return;
      // Half of the limit, as sd_watchdog_enabled(3) recommends.
      endWatchdog = clock.repeat(Math.max(limitMs / 2, 1), () => send("WATCHDOG=1"));
    },
    reload: async (action) => {
      reloads += 1;
      if (!isStopping) send("RELOADING=1", `MONOTONIC_USEC=${socket.monotonicMicros()}`);
      await action();
      reloads -= 1;
      if (!isStopping && reloads === 0) send("READY=1");
    },
    stopping: (status) => {
      isStopping = true;
      send("STOPPING=1", `STATUS=${status}`);
    },
    close: () => {
      endWatchdog?.();
      socket.close();
    },
  };
}
