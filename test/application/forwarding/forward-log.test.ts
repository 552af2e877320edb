import { expect, test } from "bun:test";
import { ForwardLog } from "../../../src/application/forwarding/forward-log.ts";
import type { SendFailure } from "../../../src/application/forwarding/send-failure.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";

function openLog() {
  const [logger, clock] = [new RecordingLogger(), new HandMovedClock()];
  return { logger, clock, log: new ForwardLog({ logger, clock, unixMs: () => 5_000 }) };
}

function failure(message: string, hint?: string): SendFailure {
  const isRefusal = hint !== undefined;
  return { message, hint, afterMs: undefined, isRefusal, areSpansRefused: false };
}

test("each change of the upstream's state is one line, and no change is none", () => {
  const { logger, clock, log } = openLog();
  const states = [log.state];
  const then = (happens: () => void) => {
    happens();
    states.push(log.state);
  };

  then(() => log.succeeded());
  then(() => log.succeeded());
  then(() => log.failed(failure("503: busy"), 120.4));
  clock.moveMs(1_500);
  then(() => log.failed(failure("503: busy"), 120.4));
  then(() => log.succeeded());

  expect(states).toEqual([
    "untried",
    "connected",
    "connected",
    "backing_off",
    "backing_off",
    "connected",
  ]);
  expect(logger.lines).toEqual([
    { level: "info", event: "forward_connected", fields: {} },
    {
      level: "warning",
      event: "forward_backing_off",
      fields: { error: "503: busy", pause_ms: 120, outage_ms: 0 },
    },
    { level: "info", event: "forward_connected", fields: { outage_ms: 1_500 } },
  ]);
});

test("another cause of an outage is told, and the same one now and then", () => {
  const { logger, clock, log } = openLog();
  const causes = ["refused", "refused", "refused", "no answer", "refused", "no answer"];
  const secondsBetween = [0, 1, 20, 1, 1, 15];

  for (const [at, cause] of causes.entries()) {
    clock.moveMs(secondsBetween[at]! * 1_000);
    log.failed(failure(cause), 1);
  }
  clock.moveMs(300_000);
  log.failed(failure("no answer"), 1);

  const told = logger.lines.map(({ fields }) => [fields["error"], fields["outage_ms"]]);
  expect(told).toEqual([
    ["refused", 0],
    ["no answer", 22_000],
    ["no answer", 338_000],
  ]);
});

test("the last error is known, of whichever kind", () => {
  const { log } = openLog();
  const atFirst = log.lastError;

  log.failed(failure("503: busy"), 120.4);
  const afterFailure = log.lastError;
  log.lost(3, "invalid", "400: no trace id");

  expect(atFirst).toBeUndefined();
  expect(afterFailure).toEqual({ message: "503: busy", hint: undefined, unixMs: 5_000 });
  expect(log.lastError).toEqual({
    message: "400: no trace id",
    hint: undefined,
    unixMs: 5_000,
  });
  log.close();
});

test("what is lost is told at once, and what comes right after it in one line", () => {
  const { logger, log } = openLog();

  log.lost(3, "invalid", "first");
  log.lost(4, "invalid", "second");
  log.lost(5, "too_large", "third");
  const before = logger.lines.length;
  log.close();

  expect(before).toBe(1);
  expect(logger.lines).toEqual([
    { level: "warning", event: "undeliverable", fields: { invalid: 3, error: "first" } },
    {
      level: "warning",
      event: "undeliverable",
      fields: { invalid: 4, too_large: 5, error: "third" },
    },
  ]);
});

test("a refusal is another state than an outage, and says what to check", () => {
  const { logger, clock, log } = openLog();
  const states = [];

  for (const cause of [
    failure("refused"),
    failure("401: no", "check the token"),
    failure("gone"),
  ]) {
    log.failed(cause, 1);
    states.push([log.state, log.lastError?.hint]);
    clock.moveMs(100);
  }
  log.failed(failure("401: no", "check the token"), 1);

  expect(states).toEqual([
    ["backing_off", undefined],
    ["blocked", "check the token"],
    ["backing_off", undefined],
  ]);
  // Causes that take turns are logged once each.
  expect(logger.lines).toEqual([
    {
      level: "warning",
      event: "forward_backing_off",
      fields: { error: "refused", pause_ms: 1, outage_ms: 0 },
    },
    {
      level: "warning",
      event: "forward_blocked",
      fields: { error: "401: no", hint: "check the token", pause_ms: 1, outage_ms: 100 },
    },
  ]);
});

test("after an outage the next is new again", () => {
  const { logger, log } = openLog();

  log.failed(failure("503: busy"), 1);
  log.succeeded();
  log.failed(failure("503: busy"), 1);

  expect(logger.lines.map(({ event }) => event)).toEqual([
    "forward_backing_off",
    "forward_connected",
    "forward_backing_off",
  ]);
});

test("what the upstream has to say of what it takes is logged, a line a second", () => {
  const { logger, log } = openLog();

  for (const message of ["slow down", "slower", "please"]) log.warned(message);
  log.close();

  expect(logger.lines).toEqual([
    { level: "warning", event: "upstream_warning", fields: { batches: 1, message: "slow down" } },
    { level: "warning", event: "upstream_warning", fields: { batches: 2, message: "please" } },
  ]);
});
