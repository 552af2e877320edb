import { Buffer } from "node:buffer";
import type { ExportHeader } from "../../domain/text/export-headers.ts";
import type { SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";
import { SendsInFlight } from "./sends-in-flight.ts";
import type { KafkaMessage } from "./kafka-client.js";
import { type LaneParts, ProducerLane } from "./kafka-producer.ts";

export interface KafkaSinkParts extends LaneParts {
  /** The headers of every message. */
  readonly headers: readonly ExportHeader[];
}

/**
 * Produces each batch as one message of a topic: the bytes of an `ExportTraceServiceRequest`, which
 * is the encoding `otlp_proto` of the Collector's Kafka exporter and receiver.
 */
export class KafkaSink implements SpanSink {
  // Fixed at construction.
  private readonly parts: KafkaSinkParts;
  private readonly sends = new SendsInFlight();
  private readonly headers: ReadonlyMap<Buffer, Buffer>;

  // Moved by `send` and `close`: the producers that are free.
  private readonly free: ProducerLane[] = [];

  // Moved by `send`: the partition of the next message, modulo the number of partitions.
  private nextPartition = 0;

  constructor(parts: KafkaSinkParts) {
    this.parts = parts;
    this.headers = new Map(parts.headers.map((pair) => [asBytes(pair[0]), asBytes(pair[1])]));
  }

  /** An empty request asks whether the topic exists and this user may write, without a message. */
  send({ request }: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    return this.sends.run(cancelled, (given) => {
      const messages = request.length === 0 ? [] : [this.messageOf(request)];
      return sendThroughLane(this.free, () => new ProducerLane(this.parts), { messages, given });
    });
  }

  async close(): Promise<void> {
    await this.sends.close();
    for (const lane of this.free.splice(0)) lane.discard();
  }

  private messageOf(request: Uint8Array<ArrayBuffer>): KafkaMessage {
    const { topic } = this.parts.endpoint;
    const value = asBytes(request);
    const partition = this.nextPartition++ & 0x7fff_ffff;
    return { topic, partition, value, headers: new Map(this.headers) };
  }
}

function asBytes(content: string | Uint8Array<ArrayBuffer>): Buffer {
  if (typeof content === "string") return Buffer.from(content);
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
}

interface LaneBatch {
  readonly messages: readonly KafkaMessage[];
  readonly given: AbortSignal;
}

/** Sends through a free producer, or a new one, which is free again if it succeeds. */
async function sendThroughLane(
  free: ProducerLane[],
  open: () => ProducerLane,
  { messages, given }: LaneBatch,
): Promise<SendOutcome> {
  const lane = free.pop() ?? open();
  const outcome = await lane.send(messages, given);
  if (outcome.outcome === "delivered" && !given.aborted) free.push(lane);
  else lane.discard();
  return outcome;
}
