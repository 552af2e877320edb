import { Buffer } from "node:buffer";
import type { ExportHeader } from "../../domain/text/export-headers.ts";
import type { SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";
import type { SplitKey } from "../../domain/wire/requests-by-key.ts";
import { SendsInFlight } from "./sends-in-flight.ts";
import {
  asBuffer,
  keyedMessages,
  type MessageForm,
  sendMessages,
  type SpanMessage,
} from "./kafka-batch.ts";
import { type LaneEnd, type LaneParts, type LaneTask, ProducerLane } from "./kafka-producer.ts";

export interface KafkaSinkParts extends LaneParts {
  /** The headers of every message. */
  readonly headers: readonly ExportHeader[];
  /** The key of messages, each of which then has the spans of one trace or of one service. */
  readonly key: "none" | SplitKey;
}

/**
 * Produces each batch as one message of a topic, or as one for each key: the bytes of an
 * `ExportTraceServiceRequest`, which is the encoding `otlp_proto` of the Collector's Kafka exporter
 * and receiver.
 */
export class KafkaSink implements SpanSink {
  // Fixed at construction.
  private readonly parts: KafkaSinkParts;
  private readonly sends = new SendsInFlight();
  private readonly form: MessageForm;

  // Moved by `sendThroughLane` and `close`: the producers that are free.
  private readonly free: ProducerLane[] = [];

  // Moved by `send`: the partition of the next message, modulo the number of partitions.
  private nextPartition = 0;

  constructor(parts: KafkaSinkParts) {
    this.parts = parts;
    const headers = parts.headers.map(
      ([name, value]) => [Buffer.from(name), Buffer.from(value)] as const,
    );
    this.form = { client: parts.client, topic: parts.endpoint.topic, headers: new Map(headers) };
  }

  /** An empty request asks whether the topic exists and this user may write, without a message. */
  send({ request, spanCount }: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    return this.sends.run(cancelled, async (given) => {
      const send = (task: LaneTask) => this.sendThroughLane(task, given);
      if (request.length === 0) return (await send([])).outcome;
      return await sendMessages(this.messagesOf(request, spanCount), send);
    });
  }

  async close(): Promise<void> {
    await this.sends.close();
    for (const lane of this.free.splice(0)) lane.discard();
  }

  private messagesOf(request: Uint8Array<ArrayBuffer>, spanCount: number): SpanMessage[] {
    const { topic, headers } = this.form;
    const { key } = this.parts;
    if (key !== "none") return keyedMessages(request, key, this.form);
    const partition = this.nextPartition++ & 0x7fff_ffff;
    return [{ topic, partition, value: asBuffer(request), headers: new Map(headers), spanCount }];
  }

  /** Sends through a free producer, or a new one, which is free again if it succeeds. */
  private async sendThroughLane(task: LaneTask, given: AbortSignal): Promise<LaneEnd> {
    const lane = this.free.pop() ?? new ProducerLane(this.parts);
    const end = await lane.send(task, given);
    if (end.outcome.outcome === "delivered" && !given.aborted) this.free.push(lane);
    else lane.discard();
    return end;
  }
}
