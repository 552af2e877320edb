import { Buffer } from "node:buffer";
import { cutRequest } from "../../domain/wire/assemble.ts";
import { requestsByKey, type SplitKey } from "../../domain/wire/requests-by-key.ts";
import type { SendOutcome } from "../../ports/span-sink.ts";
import { PROCESS_PACE } from "../memory/collection-pace.ts";
import type { KafkaClient, KafkaMessage } from "./kafka-client.js";
import type { LaneEnd } from "./kafka-producer.ts";

/** A message with a number of spans. */
export interface SpanMessage extends KafkaMessage {
  readonly value: Buffer<ArrayBuffer>;
  readonly spanCount: number;
}

/** Holds what all messages of a sink have in common. */
export interface MessageForm {
  readonly topic: string;
  readonly headers: ReadonlyMap<Buffer, Buffer>;
  readonly client: Pick<KafkaClient, "murmur2">;
}

/** Returns the messages of a batch with a key: one for each trace, or for each service. */
export function keyedMessages(
  request: Uint8Array<ArrayBuffer>,
  by: SplitKey,
  { topic, headers, client }: MessageForm,
): SpanMessage[] {
  return requestsByKey(request, by).map((part) => {
    const key = Buffer.from(part.key);
    // As the clients for Java choose it, so that all producers of a topic agree.
    const partition = client.murmur2(key) & 0x7fff_ffff;
    const { request: bytes, spanCount } = part;
    return { topic, partition, key, value: asBuffer(bytes), headers: new Map(headers), spanCount };
  });
}

/** Returns a view of the bytes. */
export function asBuffer(bytes: Uint8Array<ArrayBuffer>): Buffer<ArrayBuffer> {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What the client leaves to the collector for a message, as measured on Bun 1.4.5. */
const GARBAGE_A_MESSAGE_BYTES = 4 * 1024;

type SendGroup = (messages: readonly SpanMessage[]) => Promise<LaneEnd>;

/**
 * Sends the messages of a batch. If its partitions answer in different ways, the messages of those
 * that have stored theirs are not sent again: the rest is halved for as long as it is too large,
 * down to one span, which is rejected. If nothing was stored, the caller may cut the whole batch.
 */
export async function sendMessages(
  messages: readonly SpanMessage[],
  send: SendGroup,
): Promise<SendOutcome> {
  const left = [messages];
  let hasStored = false;
  let rejectedSpans = 0;
  let reason = "";
  for (let group = left.pop(); group !== undefined; group = left.pop()) {
    // oxlint-disable-next-line no-await-in-loop -- one group at a time keeps the order
    const { outcome, stored } = await send(group);
    // While a backlog drains, nothing else starts collections.
    PROCESS_PACE.noteGarbage(group.length * GARBAGE_A_MESSAGE_BYTES);
    hasStored ||= outcome.outcome === "delivered" || stored.size > 0;
    if (outcome.outcome === "delivered") continue;
    if (outcome.outcome !== "too_large" || !hasStored) return outcome;
    const halves = halvesOf(group.filter(({ partition }) => !stored.has(partition)));
    left.push(...halves);
    if (halves.length > 0) continue;
    rejectedSpans += 1;
    reason = outcome.message;
  }
  if (rejectedSpans === 0) return { outcome: "delivered" };
  return { outcome: "partly_rejected", rejectedSpans, message: reason };
}

/** Returns two halves, the first one last; none for a single span. */
function halvesOf(messages: readonly SpanMessage[]): SpanMessage[][] {
  const middle = Math.ceil(messages.length / 2);
  if (messages.length > 1) return [messages.slice(middle), messages.slice(0, middle)];
  const [only] = messages as readonly [SpanMessage];
  const { spanCount } = only;
  if (spanCount === 1) return [];
  const half = Math.ceil(spanCount / 2);
  return [[partOf(only, half, spanCount)], [partOf(only, 0, half)]];
}

function partOf(message: SpanMessage, first: number, end: number): SpanMessage {
  const value = asBuffer(cutRequest(message.value, { first, end }));
  return { ...message, value, spanCount: end - first };
}
