import { describe, expect, test } from "bun:test";
import { Metadata } from "@grpc/grpc-js";
import { gzipSync } from "node:zlib";
import { FairTurns } from "../../../src/adapters/listening/fair-turns.ts";
import { CollectionPace } from "../../../src/adapters/memory/collection-pace.ts";
import { exportMethod } from "../../../src/adapters/otlp-grpc/export-services.ts";
import { GrpcFakeReceiver } from "../../support/fakes/grpc-fake-receiver.ts";
import { recordingProblems } from "../../support/fakes/problem-totals.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { grpcMessage } from "../../support/grpc/grpc-wire.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

const REQUEST = Buffer.from([0x0a, 0x00]);

describe("a compressed message in a turn without time", () => {
  const MESSAGE = gzipSync(REQUEST);

  /** Calls the method itself, with a message after its prefix, as grpc-js does. */
  function call({ flag }: { readonly flag: 0 | 1 }) {
    const receiver = new GrpcFakeReceiver();
    const turns = new FairTurns({ monotonicMs: () => (nowMs += 5) });
    const method = exportMethod({
      receiver,
      turns,
      maxMessageBytes: 1_000,
      failed: () => {},
      pace: new CollectionPace({ young: () => {}, all: () => {} }),
      problems: recordingProblems(new RecordingLogger()),
    });
    const message = grpcMessage(flag === 1 ? MESSAGE : REQUEST, flag);
    const metadata = new Metadata();
    metadata.set("spanring-message-encoding", "gzip");
    const request = message.subarray(5);
    const made = { request, metadata, cancelled: false, getPeer: () => "192.0.2.1:1" };
    const answers: unknown[] = [];
    const handler = method.handler as (call: unknown, respond: (error: unknown) => void) => void;
    handler(made, (error) => answers.push(error));
    return { receiver, made, answers };
  }
  let nowMs = 0;

  test("is answered in a later turn", async () => {
    const { receiver, answers } = call({ flag: 1 });
    const before = answers.length;

    await nextTurn();

    expect([before, answers]).toEqual([0, [null]]);
    expect(receiver.requests).toEqual([REQUEST]);
  });

  test("is not decompressed if its call has been cancelled", async () => {
    const { receiver, made, answers } = call({ flag: 1 });

    made.cancelled = true;
    await nextTurn();

    expect([receiver.requests, answers]).toEqual([[], []]);
  });

  test("is not decompressed if its memory has been freed", async () => {
    const { receiver, made, answers } = call({ flag: 1 });

    (made.request.buffer as ArrayBuffer).transfer(0);
    await nextTurn();

    expect([receiver.requests, answers]).toEqual([[], []]);
  });

  test("waits, and one that is not compressed does not", () => {
    expect(call({ flag: 0 }).answers).toEqual([null]);
  });
});
