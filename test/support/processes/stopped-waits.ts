// Preloaded into the thread of a watchdog: gives its waits the results that it sees if SIGSTOP
// stops the process in every second one. A wait that was stopped times out as soon as the process
// continues, before the loop takes a turn; in the next one, the loop takes a turn.

/** The grace period and the margin, in which the watchdog does not count turns. */
const WAITS_BEFORE_LOOKS = 2;
const STOPS = 5;
const TURNS_CELL = 2;

let waitCount = 0;

function wait(cells: Int32Array): "timed-out" | "not-equal" {
  waitCount += 1;
  const look = waitCount - WAITS_BEFORE_LOOKS;
  if (look > 2 * STOPS) return "not-equal";
  if (look > 0 && look % 2 === 0) Atomics.add(cells, TURNS_CELL, 1);
  return "timed-out";
}

Object.assign(Atomics, { wait });
