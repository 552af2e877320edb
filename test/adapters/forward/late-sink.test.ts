import { expect, test } from "bun:test";
import { LateSink } from "../../../src/adapters/forward/late-sink.ts";
import type { SendOutcome, SpanSink } from "../../../src/ports/span-sink.ts";
import { batchOf, never } from "../../support/requests/span-batch.ts";

const DELIVERED: SendOutcome = { outcome: "delivered" };

/** Opens sinks that deliver everything, and counts what is done with them. */
function counted(failures = 0) {
  const counts = { opened: 0, sent: 0, closed: 0 };
  const sink: SpanSink = {
    send: async () => {
      counts.sent += 1;
      return DELIVERED;
    },
    close: async () => void (counts.closed += 1),
  };
  const open = async () => {
    counts.opened += 1;
    if (counts.opened <= failures) throw new Error("cannot open");
    return sink;
  };
  return { counts, sink: new LateSink(open) };
}

test("a sink is opened once, by the first of several batches", async () => {
  const { counts, sink } = counted();
  const before = counts.opened;

  const outcomes = await Promise.all([sink.send(batchOf(1), never), sink.send(batchOf(1), never)]);
  await sink.send(batchOf(1), never);

  expect([before, outcomes]).toEqual([0, [DELIVERED, DELIVERED]]);
  expect(counts).toEqual({ opened: 1, sent: 3, closed: 0 });
});

test("a sink that could not be opened is opened by the next batch", async () => {
  const { counts, sink } = counted(1);

  const failed = await sink.send(batchOf(1), never).catch(String);
  const outcome = await sink.send(batchOf(1), never);

  expect([failed, outcome]).toEqual(["Error: cannot open", DELIVERED]);
  expect(counts).toEqual({ opened: 2, sent: 1, closed: 0 });
});

test("a sink that is closed before the first batch is never opened", async () => {
  const { counts, sink } = counted();

  await sink.close();
  const outcome = await sink.send(batchOf(1), never);

  expect(outcome).toEqual({ outcome: "retry", message: "the sink is closed" });
  expect(counts).toEqual({ opened: 0, sent: 0, closed: 0 });
});

test.each([
  { name: "closes the sink that a batch has opened", failures: 0, closed: 1 },
  { name: "ignores a sink that could not be opened", failures: 1, closed: 0 },
])("closing $name", async ({ failures, closed }) => {
  const { counts, sink } = counted(failures);
  const sending = Promise.allSettled([sink.send(batchOf(1), never)]);

  await sink.close();
  await sending;

  expect(counts.closed).toBe(closed);
});
