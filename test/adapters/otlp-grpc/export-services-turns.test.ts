import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { FairTurns } from "../../../src/adapters/listening/fair-turns.ts";
import type { CallFailure } from "../../../src/adapters/otlp-grpc/call-handlers.ts";
import { exportMethod } from "../../../src/adapters/otlp-grpc/export-services.ts";
import { type Receipt, zeroAmounts } from "../../../src/domain/receipt.ts";
import { GrpcFakeReceiver } from "../../support/fakes/grpc-fake-receiver.ts";
import { noCollections } from "../../support/fakes/no-collections.ts";
import { recordingProblems } from "../../support/fakes/problem-totals.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

const REQUEST = Buffer.from([0x0a, 0x00]);

describe("a compressed message in a turn without time", () => {
  const MESSAGE = gzipSync(REQUEST);

  function call({ flag }: { readonly flag: 0 | 1 }) {
    const receiver = new GrpcFakeReceiver();
    const turns = new FairTurns({ monotonicMs: () => (nowMs += 5) });
    const { handler } = exportMethod({
      receiver,
      turns,
      maxMessageBytes: 1_000,
      failed: () => {},
      pace: noCollections(),
      problems: recordingProblems(new RecordingLogger()),
    });
    const answers: string[] = [];
    const made = {
      message: { flag, encoding: "gzip", bytes: flag === 1 ? MESSAGE : REQUEST },
      address: "192.0.2.1",
      hasEnded: false,
      succeed: () => answers.push("OK"),
      fail: ({ details }: CallFailure) => answers.push(details),
    };
    handler(made);
    return { receiver, made, answers };
  }
  let nowMs = 0;

  test("is answered in a later turn", async () => {
    const { receiver, answers } = call({ flag: 1 });
    const before = answers.length;

    await nextTurn();

    expect([before, answers]).toEqual([0, ["OK"]]);
    expect(receiver.requests).toEqual([REQUEST]);
  });

  test("is not decompressed if its call has ended", async () => {
    const { receiver, made, answers } = call({ flag: 1 });

    made.hasEnded = true;
    await nextTurn();

    expect([receiver.requests, answers]).toEqual([[], []]);
  });

  test("waits, and one that is not compressed does not", () => {
    expect(call({ flag: 0 }).answers).toEqual(["OK"]);
  });
});

test("an answer that waits for the disk is sent when it has come", async () => {
  const stored = Promise.withResolvers<Receipt>();
  const answers: string[] = [];
  const { handler } = exportMethod({
    receiver: { receive: () => stored.promise },
    turns: new FairTurns({ monotonicMs: () => 0 }),
    maxMessageBytes: 1_000,
    failed: () => {},
    pace: noCollections(),
    problems: recordingProblems(new RecordingLogger()),
  });

  handler({
    message: { flag: 0, encoding: undefined, bytes: REQUEST },
    address: "192.0.2.1",
    hasEnded: false,
    succeed: () => void answers.push("OK"),
    fail: ({ details }) => void answers.push(details),
  });
  const before = [...answers];
  stored.resolve({ outcome: "accepted", amounts: zeroAmounts() });
  await nextTurn();

  expect([before, answers]).toEqual([[], ["OK"]]);
});
