import type { Receipt } from "../../domain/receipt.ts";
import type { InFlightBudget } from "../memory/in-flight-budget.ts";
import { releaseBytes } from "../../application/ring/release-bytes.ts";
import type { GivenUp, RequestInFlight } from "./request-table.ts";
import type { Compression } from "../otlp/inflate.ts";

/** `release` gives the memory of `bytes` back at once. To be called when nobody reads them. */
export type BodyReading =
  | { readonly outcome: "read"; readonly bytes: Uint8Array; readonly release: () => void }
  | Extract<Receipt, { outcome: "malformed" | "too_large" }>
  | GivenUp;

export interface BodyParts {
  readonly budget: InFlightBudget;
  /** Before decompression. */
  readonly maxBytes: number;
}

/** What is something else is no length that anyone keeps to. */
const DIGITS = /^\d{1,15}$/;

/**
 * The body of a request, charged to the budget while it comes.
 *
 * A length that was declared is charged at once, whole: Bun then gathers the body by itself, in a
 * third less time than it takes us piece by piece, and nothing is seen of it until it is there.
 * HTTP keeps peers from sending more than they declared. Without a length, it is charged as it
 * comes; Bun reads no further than a piece or two ahead of us.
 *
 * Not bounded is the processor time of a body in chunks of a byte or two, about a microsecond each:
 * Bun takes all that a socket has before it turns to the next one.
 *
 * Whoever is given up is not read any further. What still comes of it, Bun throws away. What is too
 * large is for the caller to drain.
 */
export async function readBody(
  request: Request,
  inFlight: RequestInFlight,
  parts: BodyParts,
): Promise<BodyReading> {
  const declared = request.headers.get("content-length") ?? "";
  try {
    if (!DIGITS.test(declared)) return await readPieces(request, inFlight, parts);
    return await readWhole(request, inFlight, { ...parts, declaredBytes: Number(declared) });
  } catch {
    // The connection is gone, so nobody reads this.
    return { outcome: "malformed", problem: "incomplete", message: "the body ended early" };
  }
}

async function readWhole(
  request: Request,
  { open, givenUp }: RequestInFlight,
  { budget, maxBytes, declaredBytes }: BodyParts & { readonly declaredBytes: number },
): Promise<BodyReading> {
  if (declaredBytes > maxBytes) return tooLarge(maxBytes);
  budget.hold(open, declaredBytes);
  // In this order: what has been given up must not win by having arrived.
  const body = await Promise.race([givenUp, request.bytes()]);
  if (!(body instanceof Uint8Array)) return body;
  return { outcome: "read", bytes: body, release: () => releaseBytes(body) };
}

async function readPieces(
  request: Request,
  inFlight: RequestInFlight,
  { budget, maxBytes }: BodyParts,
): Promise<BodyReading> {
  // The types are Node's, which has no `readMany`.
  const reader = request.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
  const body = new GrowingBytes();
  // Ends the wait for the next piece. No race for each: of the many there may be, each would leave
  // something behind at the one promise.
  void Promise.allSettled([inFlight.givenUp.then(() => reader?.cancel())]);
  let isOver = reader === undefined;
  while (!isOver) {
    // oxlint-disable-next-line no-await-in-loop -- pieces come one after the other
    const { value: pieces, done } = await reader!.readMany();
    const grownBytes = pieces.reduce((grown, piece) => grown + moveTo(body, piece), 0);
    if (grownBytes > 0) budget.hold(inFlight.open, grownBytes);
    isOver = done || inFlight.isGivenUp || body.length > maxBytes;
  }
  const isWhole = !inFlight.isGivenUp && body.length <= maxBytes;
  if (isWhole) return { outcome: "read", bytes: body.bytes, release: () => body.release() };
  body.release();
  if (!inFlight.isGivenUp) reader?.releaseLock();
  return inFlight.isGivenUp ? await inFlight.givenUp : tooLarge(maxBytes);
}

/** By how many bytes it made the body grow. */
function moveTo(body: GrowingBytes, piece: Uint8Array): number {
  const grownBytes = body.append(piece);
  releaseBytes(piece);
  return grownBytes;
}

function tooLarge(maxBytes: number): BodyReading {
  const message = `the body is longer than ${maxBytes} bytes; send smaller batches`;
  return { outcome: "too_large", message };
}

/** What a body is made of. The answer is made of the same. */
export type BodyFormat = "protobuf" | "json";

export const MEDIA_TYPES: Readonly<Record<BodyFormat, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/** Of `Content-Type`, without its parameters; undefined when it is neither. */
export function bodyFormat(contentType: string | null): BodyFormat | undefined {
  // What nearly every exporter sends; the rest is for those that add a charset.
  if (contentType === MEDIA_TYPES.protobuf) return "protobuf";
  const [mediaType = ""] = (contentType ?? "").split(";", 1);
  const plain = mediaType.trim().toLowerCase();
  if (plain === MEDIA_TYPES.json) return "json";
  return plain === MEDIA_TYPES.protobuf ? "protobuf" : undefined;
}

export type ContentCoding = "identity" | Compression;

/** For the header of an answer that refuses another one. */
export const CODINGS_TAKEN = "gzip, deflate, zstd, identity";

/**
 * Of `Content-Encoding`; undefined when it is another one, or several. Never `br`, whatever the
 * runtime could do: it has had a hole there. `deflate` is the zlib format, as for the Collector;
 * the bare one has no checksum, so that other bytes could be taken for a request without spans.
 * Source: RFC 9110, section 8.4.1.
 */
export function contentCoding(contentEncoding: string | null): ContentCoding | undefined {
  if (contentEncoding === null) return "identity";
  switch (contentEncoding.trim().toLowerCase()) {
    case "":
    case "identity":
      return "identity";
    case "gzip":
    case "x-gzip":
      return "gzip";
    case "deflate":
      return "deflate";
    case "zstd":
      return "zstd";
    default:
      return undefined;
  }
}

const MIN_ROOM_BYTES = 16 * 1024;

/**
 * Bytes that come piece by piece, gathered in one buffer, so that many small pieces take no more
 * memory than few large ones. (A piece that is kept costs about 400 bytes beside its own.)
 *
 * Invariant: length <= capacity <= 1.25 x length + 16 KiB.
 */
export class GrowingBytes {
  // Moved by `append` and `release`.
  private buffer = new ArrayBuffer(0);
  length = 0;

  /** The piece is copied. Returns by how many bytes the buffer has grown. */
  append(piece: Uint8Array): number {
    const grownBytes = this.makeRoom(this.length + piece.length);
    new Uint8Array(this.buffer).set(piece, this.length);
    this.length += piece.length;
    return grownBytes;
  }

  /** A view, until the next `append` or `release`. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.buffer, 0, this.length);
  }

  /** Gives the memory back at once: nobody looks at it any more. */
  release(): void {
    this.buffer.transfer(0);
    this.buffer = new ArrayBuffer(0);
    this.length = 0;
  }

  private makeRoom(lengthBytes: number): number {
    const before = this.buffer.byteLength;
    if (lengthBytes <= before) return 0;
    this.buffer = this.buffer.transfer(capacityFor(lengthBytes));
    return this.buffer.byteLength - before;
  }
}

function capacityFor(lengthBytes: number): number {
  return Math.ceil(lengthBytes * 1.25) + MIN_ROOM_BYTES;
}
