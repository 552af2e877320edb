import type { Socket } from "node:net";
import type { TimerClock } from "../../ports/clock.ts";

/** Destroys a socket after the delay. Returns the function that prevents it. */
export function destroyAfter(delayMs: number, socket: Socket, clock: TimerClock): () => void {
  const cancel = clock.schedule(delayMs, () => socket.destroy());
  socket.once("close", cancel);
  return cancel;
}
