import { expect, test } from "bun:test";
import type { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import type { SpanAmount } from "../../../src/domain/ledger.ts";
import type { ForwardedBuffer } from "../../../src/ports/trace-buffer.ts";
import { spanNumbers } from "../../support/oracles/walked-spans.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { forwarding, ledgerOfRun, settled } from "../../support/upstreams/forwarding.ts";

/** A buffer whose leases are known only later, as if they were read from a disk. */
function readLater(read: () => Promise<void> = async () => {}) {
  return (ring: ObservabilityBuffer): ForwardedBuffer =>
    Object.create(ring, {
      lease: {
        value: async (limit: SpanAmount) => {
          await read();
          return ring.lease(limit);
        },
      },
    });
}

test("spans that are read from a disk are sent in order, and none is left", async () => {
  const run = forwarding({ buffer: readLater() });
  run.arrive(requestOf(35));
  run.forwarder.start();
  await settled();

  expect(run.sink.sent.flatMap(({ request }) => spanNumbers(request))).toEqual(
    Array.from({ length: 35 }, (_, index) => index + 1),
  );
  expect(ledgerOfRun(run)).toMatchObject({ buffered: 0, delivered: 35 });
});

test("a lease that cannot be read causes a pause, and is read again", async () => {
  let faults = 1;
  const run = forwarding({
    buffer: readLater(async () => {
      if ((faults -= 1) >= 0) throw new Error("the disk cannot be read");
    }),
  });
  run.arrive(requestOf(3));
  run.forwarder.start();
  await settled();

  expect(run.logger.lines[0]).toMatchObject({ level: "error", event: "unexpected_error" });
  expect(run.clock.sleptMs).toContain(50);
  expect(ledgerOfRun(run)).toMatchObject({ buffered: 0, delivered: 3 });
});

test("a stop waits for spans that are being read from a disk, and sends them", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const run = forwarding({ buffer: readLater(() => promise) });
  run.arrive(requestOf(3));
  run.forwarder.start();
  const stopped = run.forwarder.stop(600_000);
  await settled();
  const wasClosed = run.sink.isClosed;

  resolve();
  await stopped;

  expect(wasClosed).toBe(false);
  expect(ledgerOfRun(run)).toMatchObject({ buffered: 0, delivered: 3 });
});
