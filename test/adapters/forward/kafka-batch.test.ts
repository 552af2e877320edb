import { describe, expect, spyOn, test } from "bun:test";
import {
  keyedMessages,
  sendMessages,
  type SpanMessage,
} from "../../../src/adapters/forward/kafka-batch.ts";
import * as client from "../../../src/adapters/forward/kafka-client.js";
import type { LaneEnd } from "../../../src/adapters/forward/kafka-producer.ts";
import { PROCESS_PACE } from "../../../src/adapters/memory/collection-pace.ts";
import type { SendOutcome } from "../../../src/ports/span-sink.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";

const FORM = { topic: "spans", headers: new Map(), client };

test("each trace has a message, whose key is the trace id in hex", () => {
  const messages = keyedMessages(requestOf(3), "trace_id", FORM);

  expect(messages.map(({ key, spanCount }) => [String(key), spanCount])).toEqual([
    ["ab070707070707070707070700000001", 1],
    ["ab070707070707070707070700000002", 1],
    ["ab070707070707070707070700000003", 1],
  ]);
});

// The vectors are those of Kafka's clients for Java.
test.each([
  { key: "21", hash: -973_932_308 },
  { key: "foobar", hash: -790_332_482 },
  { key: "a-little-bit-long-string", hash: -985_981_536 },
])("the hash of $key is $hash", ({ key, hash }) => {
  expect(client.murmur2(Buffer.from(key)) | 0).toBe(hash);
});

test("the partition of a key is its hash without the sign", () => {
  const [message] = keyedMessages(requestOf(2), "service", FORM) as [SpanMessage];

  expect(String(message.key)).toBe("shop");
  expect(message.partition).toBe(client.murmur2(Buffer.from("shop")) & 0x7fff_ffff);
});

/** Returns a message of this many spans, numbered from `first`. */
function messageOf(partition: number, spanCount: number, first = 1): SpanMessage {
  const value = Buffer.from(requestOf(spanCount, first).buffer);
  return { topic: "spans", partition, value, headers: new Map(), spanCount };
}

const TOO_LARGE: SendOutcome = { outcome: "too_large", message: "larger than 10" };
const BUSY: SendOutcome = { outcome: "retry", message: "busy" };
const DELIVERED: SendOutcome = { outcome: "delivered" };

/** Sends with these ends, in order; the last one repeats. */
function answering(...ends: [SendOutcome, ...number[]][]) {
  const groups: string[][] = [];
  const send = async (messages: readonly SpanMessage[]): Promise<LaneEnd> => {
    groups.push(messages.map(({ partition, spanCount }) => `${partition}:${spanCount}`));
    const [outcome, ...stored] = ends.length > 1 ? ends.shift()! : ends[0]!;
    return { outcome, stored: new Set(stored) };
  };
  return { groups, send };
}

describe("the messages of a batch", () => {
  test("are sent together", async () => {
    const { groups, send } = answering([DELIVERED]);

    expect(await sendMessages([messageOf(0, 1), messageOf(1, 2)], send)).toEqual(DELIVERED);
    expect(groups).toEqual([["0:1", "1:2"]]);
  });

  test.each([TOO_LARGE, BUSY])(
    "are not sent again if none is stored: $outcome",
    async (outcome) => {
      const { groups, send } = answering([outcome]);

      expect(await sendMessages([messageOf(0, 1), messageOf(1, 2)], send)).toEqual(outcome);
      expect(groups).toHaveLength(1);
    },
  );

  test("are sent again, in halves, on the partitions that found them too large", async () => {
    const { groups, send } = answering([TOO_LARGE, 1], [DELIVERED]);
    const messages = [messageOf(0, 1), messageOf(1, 2), messageOf(2, 3), messageOf(0, 4)];

    expect(await sendMessages(messages, send)).toEqual(DELIVERED);
    expect(groups).toEqual([["0:1", "1:2", "2:3", "0:4"], ["0:1", "2:3"], ["0:4"]]);
  });

  test("are cut down to one span, which is rejected", async () => {
    const ends: [SendOutcome, ...number[]][] = [[TOO_LARGE, 1], [TOO_LARGE], [TOO_LARGE]];
    const { groups, send } = answering(...ends, [DELIVERED]);

    const outcome = await sendMessages([messageOf(0, 3), messageOf(1, 1)], send);

    expect(groups).toEqual([["0:3", "1:1"], ["0:2"], ["0:1"], ["0:1"], ["0:1"]]);
    expect(outcome).toEqual({
      outcome: "partly_rejected",
      rejectedSpans: 1,
      message: "larger than 10",
    });
  });

  test("are all retryable if a later one is, because only the sender knows which", async () => {
    const { send } = answering([TOO_LARGE, 1], [DELIVERED], [BUSY]);
    const messages = [messageOf(0, 1), messageOf(0, 1), messageOf(1, 1)];

    expect(await sendMessages(messages, send)).toEqual(BUSY);
  });
});

test("what messages leave to the collector is noted, 4 KiB for each", async () => {
  const messages = keyedMessages(requestOf(20), "trace_id", FORM);
  using noted = spyOn(PROCESS_PACE, "noteGarbage");

  await sendMessages(messages, async () => ({
    outcome: { outcome: "delivered" },
    stored: new Set(),
  }));

  expect(noted.mock.calls).toEqual([[20 * 4_096]]);
});
