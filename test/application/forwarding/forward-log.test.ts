import { expect, test } from "bun:test";
import { ForwardLog } from "../../../src/application/forwarding/forward-log.ts";
import { HandMovedClock } from "../../support/hand-moved-clock.ts";
import { RecordingLogger } from "../../support/recording-logger.ts";

function openLog() {
  const [logger, clock] = [new RecordingLogger(), new HandMovedClock()];
  return { logger, clock, log: new ForwardLog({ logger, clock, unixMs: () => 5_000 }) };
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
  then(() => log.failed("503: busy", 120.4));
  clock.moveMs(1_500);
  then(() => log.failed("503: busy", 120.4));
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
    log.failed(cause, 1);
  }
  clock.moveMs(300_000);
  log.failed("no answer", 1);

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

  log.failed("503: busy", 120.4);
  const afterFailure = log.lastError;
  log.lost(3, "invalid", "400: no trace id");

  expect(atFirst).toBeUndefined();
  expect(afterFailure).toEqual({ message: "503: busy", unixMs: 5_000 });
  expect(log.lastError).toEqual({ message: "400: no trace id", unixMs: 5_000 });
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
