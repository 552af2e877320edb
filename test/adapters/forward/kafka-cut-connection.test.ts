import { expect, test } from "bun:test";
import { type AddressInfo, connect, createServer } from "node:net";
import { KafkaSink } from "../../../src/adapters/forward/kafka-sink.ts";
import { batchOf, never } from "../../support/requests/span-batch.ts";
import { startKafkaBroker } from "../../support/upstreams/kafka-broker.ts";
import { kafkaParts } from "../../support/upstreams/kafka-sink-upstream.ts";

/** Less than the batch, and more than what comes before its spans. */
const CUT_BYTES = 1_000_000;

/**
 * Starts a server in front of a broker that resets the first connection over which this much has
 * come.
 */
async function startCuttingFront(brokerPort: number) {
  let cuts = 0;
  const server = createServer((socket) => {
    const broker = connect(brokerPort, "127.0.0.1");
    let receivedBytes = 0;
    socket.on("data", (bytes) => {
      receivedBytes += bytes.length;
      if (cuts > 0 || receivedBytes < CUT_BYTES) return void broker.write(bytes);
      cuts += 1;
      socket.resetAndDestroy();
      broker.destroy();
    });
    broker.on("data", (bytes) => void socket.write(bytes));
    for (const [one, other] of [
      [socket, broker],
      [broker, socket],
    ] as const) {
      one.on("error", () => {}).on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = () => new Promise<void>((resolve) => void server.close(() => resolve()));
  return { port, cuts: () => cuts, stop };
}

test("a batch whose connection is cut in the middle is stored once, as it was", async () => {
  const broker = await startKafkaBroker({});
  const front = await startCuttingFront(broker.port);
  broker.shown.port = front.port;
  const sink = new KafkaSink({ ...kafkaParts(broker.port), compression: "none" });
  const batch = batchOf(60_000);

  const outcome = await sink.send(batch, never);

  await sink.close();
  await broker.stop();
  await front.stop();
  expect({ outcome, cuts: front.cuts() }).toEqual({ outcome: { outcome: "delivered" }, cuts: 1 });
  expect(broker.messages.map(({ value }) => Buffer.compare(value, batch.request))).toEqual([0]);
});
