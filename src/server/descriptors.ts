import { SYSTEM_CLOCK as clock } from "../adapters/clock/system-clock.ts";
import {
  canOpenFiles,
  DESCRIPTOR_CHECK_MS,
  DescriptorGuard,
  type PausableListener,
} from "../adapters/listening/descriptor-guard.ts";
import { listenFailure } from "./listen-failure.ts";
import { type RunningListener, runningListeners } from "./listen.ts";
import type { ServerParts } from "./parts.ts";
import type { Stage } from "./stage.ts";

/** Pauses the listeners whenever the process runs out of file descriptors. */
export function guardDescriptors(parts: ServerParts): Stage {
  let timer: NodeJS.Timeout | undefined;
  let ticked: Promise<void> = Promise.resolve();
  return {
    name: "descriptors",
    start: () => {
      const guard = buildGuard(parts);
      const tick = (): void => {
        const guarded = ticked.then(() => guard.tick());
        // A fault of one look must not end all later ones.
        ticked = guarded.catch((error: unknown) =>
          parts.logger.error("unexpected_error", { error }),
        );
      };
      timer = setInterval(tick, DESCRIPTOR_CHECK_MS);
      return true;
    },
    // A listener that is about to listen again must do so before it is stopped.
    stop: async () => {
      clearInterval(timer);
      await ticked;
    },
  };
}

function buildGuard(parts: ServerParts): DescriptorGuard {
  const running = runningListeners(parts);
  const exhausted = (): void => {
    for (const { listener: protocol } of running) {
      parts.problems.note({ protocol, reason: "out_of_descriptors", address: "" });
    }
  };
  const listeners = running.map((each) => loggedListener(parts, each));
  return new DescriptorGuard({ listeners, canOpen: canOpenFiles, clock, exhausted });
}

function loggedListener({ logger }: ServerParts, running: RunningListener): PausableListener {
  const { listener, pausable } = running;
  return {
    relieve: () => pausable.relieve(),
    pause: () => {
      logger.warning("listening_paused", { listener });
      pausable.pause();
    },
    resume: async () => {
      try {
        await pausable.resume();
        logger.info("listening_resumed", { listener });
      } catch (error) {
        logger.error("cannot_listen", listenFailure(running, error));
        throw error;
      }
    },
  };
}
