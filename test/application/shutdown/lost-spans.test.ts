import { expect, test } from "bun:test";
import { logLost, lostSpans } from "../../../src/application/shutdown/lost-spans.ts";
import type { ServiceStats } from "../../../src/domain/ledger.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { ledgerOf } from "../../support/oracles/ledger-of.ts";

function service(name: string, buffered: number): ServiceStats {
  const [spans, bytes] = [ledgerOf({ buffered, taken: 7 }), ledgerOf({ buffered: buffered * 100 })];
  return { service: name, spans, bytes, lastSeenUnixMs: 1 };
}

test("buffered spans are listed as lost, by service, largest first", () => {
  expect(lostSpans([service("a", 1), service("none", 0), service("b", 2)])).toEqual({
    spans: 3,
    bytes: 300,
    by_service: [
      { service: "b", spans: 2, bytes: 200 },
      { service: "a", spans: 1, bytes: 100 },
    ],
  });
});

test("the smallest of more than twenty services are listed as one sum", () => {
  const services = Array.from({ length: 23 }, (_, index) => service(`s${index}`, index + 1));

  const lost = lostSpans(services);

  const named = lost["by_service"] as readonly { service: string }[];
  expect(named.map(({ service: name }) => name).slice(-2)).toEqual(["s4", "s3"]);
  expect(named).toHaveLength(20);
  expect(lost).toMatchObject({
    spans: 276,
    bytes: 27_600,
    other_services: { services: 3, spans: 6, bytes: 600 },
  });
});

test("the name of a service cannot forge a line", () => {
  expect(lostSpans([service("a\nb", 1)])).toMatchObject({ by_service: [{ service: "a\\nb" }] });
});

test("a loss is logged with its remedy, and an empty buffer is none", () => {
  const logger = new RecordingLogger();

  const losses = [logLost([service("a", 0)], logger), logLost([service("a", 2)], logger)];

  expect(losses).toEqual([false, true]);
  expect(logger.lines).toEqual([
    {
      level: "warning",
      event: "lost",
      fields: {
        spans: 2,
        bytes: 200,
        by_service: [{ service: "a", spans: 2, bytes: 200 }],
        hint: "set DATA_DIR to keep such spans for the next start",
      },
    },
  ]);
});
