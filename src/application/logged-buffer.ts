import type { BufferStats } from "../domain/ledger.ts";
import type { WalkedRequest } from "../domain/wire/walked-request.ts";
import type { Logger } from "../ports/logger.ts";
import type { ObservabilityBuffer } from "./observability-buffer.ts";
import type { Appended } from "./ring-append.ts";
import type { ServiceAmount } from "./ring-services.ts";
import type { SpanReader } from "./span-reader.ts";

/** The part of the buffer that listeners use. */
export type SharedBuffer = Pick<ObservabilityBuffer, "append" | "peek" | "take" | "stats">;

/** Tells of every operation at DEBUG, with amounts and nothing of the spans. */
export class LoggedBuffer implements SpanReader {
  // Fixed at construction.
  private readonly buffer: SharedBuffer;
  private readonly logger: Logger;

  constructor(buffer: SharedBuffer, logger: Logger) {
    this.buffer = buffer;
    this.logger = logger;
  }

  append(walked: WalkedRequest, rejected?: readonly ServiceAmount[]): Appended {
    const appended = this.buffer.append(walked, rejected);
    const { spanCount: spans, spanBytes: bytes } = walked;
    this.logger.debug("appended", { outcome: appended.outcome, spans, bytes });
    return appended;
  }

  peek(spanCount: number): Uint8Array<ArrayBuffer> {
    const request = this.buffer.peek(spanCount);
    this.logger.debug("peeked", { limit: spanCount, request_bytes: request.length });
    return request;
  }

  take(spanCount: number): Uint8Array<ArrayBuffer> {
    const request = this.buffer.take(spanCount);
    this.logger.debug("taken", { limit: spanCount, request_bytes: request.length });
    return request;
  }

  stats(): BufferStats {
    return this.buffer.stats();
  }
}
