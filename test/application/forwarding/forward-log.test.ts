import { describe, expect, test } from "bun:test";
import { ForwardLog } from "../../../src/application/forwarding/forward-log.ts";
import type { SendFailure } from "../../../src/application/forwarding/send-failure.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";

function openLog() {
  const [logger, clock] = [new RecordingLogger(), new HandMovedClock()];
  const log = new ForwardLog({ logger, clock, unixMs: () => 5_000 });
  const errors = () => logger.lines.map(({ fields }) => fields["error"]);
  return { logger, clock, log, errors };
}

function failure(message: string, hint?: string): SendFailure {
  const isRefusal = hint !== undefined;
  return { message, hint, afterMs: undefined, isRefusal, areSpansRefused: false };
}

test("a line is logged only when the upstream's state changes", () => {
  const { logger, clock, log } = openLog();
  const states = [log.state];
  const observe = (act: () => void) => {
    act();
    states.push(log.state);
  };

  observe(() => log.succeeded());
  observe(() => log.succeeded());
  observe(() => log.failed(failure("503: busy"), 120.4));
  clock.moveMs(1_500);
  observe(() => log.failed(failure("503: busy"), 120.4));
  observe(() => log.succeeded());

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

test("an outage is logged at each new reason, and every five minutes if it stays the same", () => {
  const { logger, clock, log } = openLog();
  const reasons = ["refused", "refused", "no answer", "refused", "no answer", "no answer"];
  const secondsBefore = [0, 20, 1, 1, 1, 299];

  for (const [at, reason] of reasons.entries()) {
    clock.moveMs(secondsBefore[at]! * 1_000);
    log.failed(failure(reason), 1);
  }
  clock.moveMs(1_000);
  log.failed(failure("no answer"), 1);

  const logged = logger.lines.map(({ fields }) => [fields["error"], fields["outage_ms"]]);
  expect(logged).toEqual([
    ["refused", 0],
    ["no answer", 21_000],
    ["refused", 22_000],
    ["no answer", 23_000],
    ["no answer", 323_000],
  ]);
});

describe("new reasons within a second of a line", () => {
  test("are logged as one line at the end of that second, with the last reason", () => {
    const { clock, log, errors } = openLog();

    log.failed(failure("refused"), 1);
    clock.moveMs(400);
    for (const reason of ["reset", "no answer"]) log.failed(failure(reason), 1);
    clock.moveMs(599);
    const before = errors();
    clock.moveMs(1);

    expect(before).toEqual(["refused"]);
    expect(errors()).toEqual(["refused", "no answer"]);
  });

  test("are not logged if the last one equals the reason already logged", () => {
    const { clock, log, errors } = openLog();

    for (const reason of ["refused", "no answer", "refused"]) log.failed(failure(reason), 1);
    clock.moveMs(2_000);

    expect(errors()).toEqual(["refused"]);
  });

  test.each([
    { name: "the outage is over", end: (log: ForwardLog) => log.succeeded(), after: [undefined] },
    { name: "the log is closed", end: (log: ForwardLog) => log.close(), after: [] },
  ])("are logged at once as one line when $name", ({ end, after }) => {
    const { clock, log, errors } = openLog();

    for (const reason of ["refused", "no answer"]) log.failed(failure(reason), 1);
    end(log);
    const atEnd = errors();
    clock.moveMs(2_000);

    expect(atEnd).toEqual(["refused", "no answer", ...after]);
    expect(errors()).toEqual(atEnd);
  });
});

test("the last error is that of the last failure or loss", () => {
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

test("the first loss is logged at once, and later ones together in one line", () => {
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

test("a refusal has a state of its own, with a hint at what to check", () => {
  const { logger, clock, log } = openLog();
  const states = [];

  for (const cause of [
    failure("refused"),
    failure("401: no", "check the token"),
    failure("gone"),
  ]) {
    log.failed(cause, 1);
    states.push([log.state, log.lastError?.hint]);
    clock.moveMs(1_000);
  }

  expect(states).toEqual([
    ["backing_off", undefined],
    ["blocked", "check the token"],
    ["backing_off", undefined],
  ]);
  expect(logger.lines).toEqual([
    {
      level: "warning",
      event: "forward_backing_off",
      fields: { error: "refused", pause_ms: 1, outage_ms: 0 },
    },
    {
      level: "warning",
      event: "forward_blocked",
      fields: { error: "401: no", hint: "check the token", pause_ms: 1, outage_ms: 1_000 },
    },
    {
      level: "warning",
      event: "forward_backing_off",
      fields: { error: "gone", pause_ms: 1, outage_ms: 2_000 },
    },
  ]);
});

test("a second outage is logged like the first one", () => {
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

test("warnings of the upstream are logged, at most one line a second", () => {
  const { logger, log } = openLog();

  for (const message of ["slow down", "slower", "please"]) log.warned(message);
  log.close();

  expect(logger.lines).toEqual([
    { level: "warning", event: "upstream_warning", fields: { batches: 1, message: "slow down" } },
    { level: "warning", event: "upstream_warning", fields: { batches: 2, message: "please" } },
  ]);
});
