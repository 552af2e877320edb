import { expect, test } from "bun:test";
import { AbandonableSink } from "../../../src/application/forwarding/forwarder.ts";
import type { SendOutcome } from "../../../src/ports/span-sink.ts";
import { NEVER, nextTurn } from "../../support/running/searched-ring.ts";
import { batchOf } from "../../support/requests/span-batch.ts";

const DELIVERED: SendOutcome = { outcome: "delivered" };

test("an abandonable sink returns the outcomes and errors of its sink", async () => {
  const failing = new AbandonableSink({ send: () => Promise.reject(new Error("a fault")) });

  expect(
    await new AbandonableSink({ send: async () => DELIVERED }).send(batchOf(1), NEVER),
  ).toEqual(DELIVERED);
  expect(failing.send(batchOf(1), NEVER)).rejects.toThrow("a fault");
});

test("abandoning the sink ends a pending send, and its late outcome is ignored", async () => {
  const { promise, resolve } = Promise.withResolvers<SendOutcome>();
  const sink = new AbandonableSink({ send: () => promise });
  const sending = sink.send(batchOf(1), NEVER);
  await nextTurn();

  sink.abandon();
  const outcome = await sending;
  resolve(DELIVERED);

  expect(outcome).toMatchObject({ outcome: "retry" });
});

test("an abandoned sink sends nothing", async () => {
  let sends = 0;
  const sink = new AbandonableSink({
    send: async () => {
      sends += 1;
      return DELIVERED;
    },
  });
  sink.abandon();

  expect(await sink.send(batchOf(1), NEVER)).toMatchObject({ outcome: "retry" });
  expect(sends).toBe(0);
});
