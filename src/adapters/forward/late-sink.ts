import type { SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";
import { CLOSED } from "./sends-in-flight.ts";

/** A sink that is opened by the first batch, because opening it takes longer than a start may. */
export class LateSink implements SpanSink {
  // Fixed at construction.
  private readonly open: () => Promise<SpanSink>;

  // Moved by `opened`: undefined before the first batch, and after a failure.
  private opening: Promise<SpanSink> | undefined;

  // Moved by `close`.
  private isClosed = false;

  constructor(open: () => Promise<SpanSink>) {
    this.open = open;
  }

  async send(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    if (this.isClosed) return CLOSED;
    const sink = await this.opened();
    return await sink.send(batch, cancelled);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const sink = await this.opening?.catch(() => undefined);
    await sink?.close();
  }

  private opened(): Promise<SpanSink> {
    const failed = (error: unknown): never => {
      this.opening = undefined;
      throw error;
    };
    return (this.opening ??= this.open().catch(failed));
  }
}
