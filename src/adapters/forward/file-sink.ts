import type { FileFormat } from "../../domain/text/file-format.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";
import { releaseBytes } from "../../application/ring/release-bytes.ts";
import { PROCESS_PACE } from "../memory/collection-pace.ts";
import { MAX_REQUEST_BYTES } from "../otlp-files/byte-source.ts";
import { frameInSteps, joined } from "../otlp-files/message-frames.ts";
import { requestPieces } from "../otlp-files/request-split.ts";
import { RotatingFile, type RotatingFileParts } from "./rotating-file.ts";
import { CANCELLED, SendsInFlight } from "./sends-in-flight.ts";
import { systemErrorText } from "../../domain/text/system-error.ts";

/** Appends batches to a file that `spanring send` and the Collector's file receiver can read. */
export class FileSink implements SpanSink {
  // Fixed at construction.
  private readonly parts: RotatingFileParts;
  private readonly file: RotatingFile;
  private readonly sends = new SendsInFlight();

  // Moved by `inTurn`: settles when the file is free.
  private turn: Promise<unknown> = Promise.resolve();

  constructor(parts: RotatingFileParts) {
    this.parts = parts;
    this.file = new RotatingFile(parts);
  }

  /** Accepts an empty request, as any receiver does, and writes nothing. */
  send({ request }: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    return this.sends.run(cancelled, (given) =>
      this.inTurn(async () => (given.aborted ? CANCELLED : await this.write(request))),
    );
  }

  async close(): Promise<void> {
    await this.sends.close();
    // Batches are settled when they are written, so an error on closing changes nothing for them.
    await this.file.close().catch(() => {});
  }

  /** Runs a write after all earlier ones, whether they succeeded or failed. */
  private inTurn(write: () => Promise<SendOutcome>): Promise<SendOutcome> {
    const written = this.turn.then(write);
    this.turn = written.catch(() => {});
    return written;
  }

  private async write(request: Uint8Array): Promise<SendOutcome> {
    if (request.length === 0) return DELIVERED;
    const frames = await framesOf(request, this.parts.format).catch(notFramed);
    if (!(frames instanceof Uint8Array)) return frames;
    return await this.append(frames).finally(() => this.discard(frames));
  }

  private append(frames: Uint8Array): Promise<SendOutcome> {
    const append = this.file.append(frames).then(() => DELIVERED);
    return append.catch((error: unknown) => notWritten(error, this.parts));
  }

  /** Frees frames at once, and leaves other buffers to the collector. */
  private discard(frames: Uint8Array): void {
    PROCESS_PACE.noteGarbage(frames.length * GARBAGE_A_BYTE);
    releaseBytes(frames);
  }
}

/** The buffers in which a frame was written, for each byte of the frame. */
const GARBAGE_A_BYTE = 2;

/** Returns the request as frames that can be sent one by one, or why it cannot be written so. */
async function framesOf(
  request: Uint8Array,
  format: FileFormat,
): Promise<Uint8Array | SendOutcome> {
  if (request.length > MAX_REQUEST_BYTES) return TOO_LARGE;
  const frames: Uint8Array[] = [];
  for (const piece of requestPieces(request)) {
    // oxlint-disable-next-line no-await-in-loop -- other work gets its turn between two pieces
    const frame = await frameInSteps(piece, format);
    if (frame.length > MAX_REQUEST_BYTES) return TOO_LARGE;
    frames.push(frame);
  }
  return joined(frames);
}

const DELIVERED: SendOutcome = { outcome: "delivered" };

const TOO_LARGE: SendOutcome = {
  outcome: "too_large",
  message: `a piece has more than ${MAX_REQUEST_BYTES} bytes, and could not be read back`,
};

/** Refuses the batch: its spans or the encoder are at fault, so other batches can be written. */
function notFramed(error: unknown): SendOutcome {
  const message = quotePeerText(`the batch cannot be written in this format: ${String(error)}`);
  return { outcome: "refused", reason: "invalid", message };
}

/** Retries the batch later: a full disk or a missing folder can be fixed in the meantime. */
function notWritten(error: unknown, { path }: RotatingFileParts): SendOutcome {
  const message = `cannot write "${quotePeerText(path)}": ${systemErrorText(error)}`;
  return { outcome: "retry", message };
}
