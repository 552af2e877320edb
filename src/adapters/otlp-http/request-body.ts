import type { Receipt } from "../../domain/receipt.ts";
import { turn } from "../../application/querying/ring-scan.ts";
import { GrowingBytes } from "../memory/growing-bytes.ts";
import type { InFlightBudget } from "../memory/in-flight-budget.ts";
import { releaseBytes } from "../../application/ring/release-bytes.ts";
import type { EarlyAnswer, RequestInFlight } from "./request-table.ts";
import type { Compression } from "../otlp/inflate.ts";
import type { SleepingClock } from "../../ports/clock.ts";
import { answerInstead, ENDED_EARLY } from "./unanswered-request.ts";

/**
 * A body, or the reason why it was not read. `release` frees the memory of `bytes`, and must be
 * called when they are not read any more.
 */
export type BodyReading =
  | { readonly outcome: "read"; readonly bytes: Uint8Array; readonly release: () => void }
  | Extract<Receipt, { outcome: "malformed" | "too_large" }>
  | EarlyAnswer;

export interface BodyParts {
  readonly budget: InFlightBudget;
  /** The limit before decompression. */
  readonly maxBytes: number;
}

/** Matches a usable `Content-Length`; anything else is ignored. */
const DIGITS = /^\d{1,15}$/;

/**
 * Reads the body of a request, and charges it to the budget while it arrives.
 *
 * A declared length is charged at once, as a whole: Bun then collects the body itself, in a third
 * less time than reading it piece by piece takes. HTTP keeps peers from sending more than they
 * declare. Without a declared length, the pieces are charged as they arrive; Bun reads one or two
 * pieces ahead.
 *
 * A body in chunks of a few bytes is given up: each chunk takes about two microseconds, and Bun
 * reads all that a socket has before it turns to the next one. The caller then breaks off the
 * connection, because Bun would go on to read the body of a request that has been answered.
 *
 * Pieces are read from the next turn of the event loop on. Bun reads what a connection has sent as
 * it accepts it, and accepts until no connection waits (`test/quirks/bun-servers.test.ts`). A peer
 * that connects again as soon as it is broken off would keep Bun accepting for seconds. So a sender
 * must not pipeline requests in chunks: Bun closes a connection on which another request follows
 * while a body has not been read, and such a body is not received. No exporter is known to do so.
 *
 * Until the body is read, `inFlight.arrivedBytes` says how much of it has arrived. Bun shows
 * nothing of a body that it collects, so the declared length stands for it: no more than that has
 * arrived. A large one can therefore take the whole time limit. Read in pieces, bodies of 20 MiB
 * would block the event loop three times as long.
 *
 * Reading stops when the request is abandoned, and Bun discards the rest. The caller drains a body
 * that is too large.
 */
export function readBody(
  request: Request,
  inFlight: RequestInFlight,
  parts: BodyParts,
): Promise<BodyReading> {
  const declared = request.headers.get("content-length") ?? "";
  if (DIGITS.test(declared)) return readWhole(request, Number(declared), inFlight, parts);
  return readPieces(request, inFlight, parts).catch(() => ENDED_EARLY);
}

/** Nearly every body. A promise of its own costs less than a race. */
function readWhole(
  request: Request,
  declaredBytes: number,
  inFlight: RequestInFlight,
  { budget, maxBytes }: BodyParts,
): Promise<BodyReading> {
  if (declaredBytes > maxBytes) return Promise.resolve(tooLarge(maxBytes));
  budget.hold(inFlight.open, declaredBytes);
  inFlight.arrivedBytes = declaredBytes;
  return new Promise((resolve) => {
    // The first call counts: an abandoned request does not win because its body has arrived.
    inFlight.onAbandoned(resolve);
    request.bytes().then(
      (bytes) => resolve({ outcome: "read", bytes, release: () => releaseBytes(bytes) }),
      () => resolve(ENDED_EARLY),
    );
  });
}

async function readPieces(
  request: Request,
  inFlight: RequestInFlight,
  { budget, maxBytes }: BodyParts,
): Promise<BodyReading> {
  await turn();
  const reader = request.body === null ? undefined : pieceReader(request.body);
  const body = new GrowingBytes();
  // Ends the pending read.
  inFlight.onAbandoned(() => void Promise.allSettled([reader?.cancel()]));
  let isOver = reader === undefined;
  let pieceCount = 0;
  while (!isOver) {
    // oxlint-disable-next-line no-await-in-loop -- pieces come one after the other
    const { value: pieces, done } = await reader!.readMany();
    const grownBytes = pieces.reduce((grown, piece) => grown + moveTo(body, piece), 0);
    if (grownBytes > 0) budget.hold(inFlight.open, grownBytes);
    inFlight.arrivedBytes = body.length;
    pieceCount += pieces.length;
    if (areTooSmall(pieceCount, body.length)) return SMALL_CHUNKS;
    isOver = done || inFlight.earlyAnswer !== undefined || body.length > maxBytes;
  }
  const instead = answerInstead({ inFlight, request });
  const isWhole = instead === undefined && body.length <= maxBytes;
  if (isWhole) return { outcome: "read", bytes: body.bytes, release: () => body.release() };
  body.release();
  if (instead !== undefined) return instead;
  reader?.releaseLock();
  return tooLarge(maxBytes);
}

/** The pieces that a body may have whatever their size. */
const MAX_SMALL_PIECES = 256;
const MIN_MEAN_PIECE_BYTES = 64;

function areTooSmall(pieceCount: number, lengthBytes: number): boolean {
  return pieceCount > MAX_SMALL_PIECES && lengthBytes < pieceCount * MIN_MEAN_PIECE_BYTES;
}

/** The body is not read any further, and its connection is to be broken off. */
export const SMALL_CHUNKS = {
  outcome: "malformed",
  problem: "incomplete",
  message: `the body has chunks of less than ${MIN_MEAN_PIECE_BYTES} bytes; send larger ones`,
} as const satisfies BodyReading;

function pieceReader(body: ReadableStream): ReadableStreamDefaultReader<Uint8Array> {
  // Cast because the types are those of Node, which has no `readMany`.
  return body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
}

/** Moves a piece into the body, and returns by how many bytes the body's buffer has grown. */
function moveTo(body: GrowingBytes, piece: Uint8Array): number {
  const grownBytes = body.append(piece);
  releaseBytes(piece);
  return grownBytes;
}

function tooLarge(maxBytes: number): BodyReading {
  const message = `the body is longer than ${maxBytes} bytes; send smaller batches`;
  return { outcome: "too_large", message };
}

/** The format of a body and of its answer. */
export type BodyFormat = "protobuf" | "json";

export const MEDIA_TYPES: Readonly<Record<BodyFormat, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/**
 * Returns the format that `Content-Type` names, ignoring parameters; undefined for any other type.
 */
export function bodyFormat(contentType: string | null): BodyFormat | undefined {
  // Nearly every exporter sends exactly this; the rest handles those that add a charset.
  if (contentType === MEDIA_TYPES.protobuf) return "protobuf";
  const [mediaType = ""] = (contentType ?? "").split(";", 1);
  const plain = mediaType.trim().toLowerCase();
  if (plain === MEDIA_TYPES.json) return "json";
  return plain === MEDIA_TYPES.protobuf ? "protobuf" : undefined;
}

export type ContentCoding = "identity" | Compression;

/** The supported codings, for the header of a response that refuses another one. */
export const CODINGS_TAKEN = "gzip, deflate, zstd, identity";

/**
 * Returns the coding that `Content-Encoding` names; undefined for any other, and for several. `br`
 * is refused although the runtime supports it, because its decoder has had a vulnerability.
 * `deflate` means the zlib format, as in the Collector; the raw format has no checksum, so other
 * bytes could pass for a request without spans.
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

/** The maximum time of a drain. A sender on a slow link may need longer. */
const MAX_DRAIN_MS = 5_000;

/** The limit for one body: the size that OTLP recommends accepting. */
const MAX_DRAIN_BYTES = 64 * 1024 * 1024;

/** The limit of concurrent drains; beyond it an answer is sent at once. */
const MAX_DRAINS = 64;

/**
 * Reads and discards the rest of a body that is refused, so that its sender can read the answer.
 *
 * Bun closes a connection of HTTP/1.0, or with `Connection: close`, right after the answer. If more
 * of the body arrives then, the system resets the connection (`test/quirks/bun-servers.test.ts`).
 * The reset may overtake the answer, or break a sender that writes everything before it reads:
 * nginx returns 502 to its client instead of 413, and an exporter sends the same request again. A
 * request does not show whether Bun will close its connection, so all bodies are drained.
 */
export class BodyDrain {
  // Fixed at construction.
  private readonly clock: SleepingClock;

  // Moved by `drain` and `stop`.
  private readonly stopping = new AbortController();
  private open = 0;

  constructor(clock: SleepingClock) {
    this.clock = clock;
  }

  /**
   * Resolves when the answer may be sent, after `MAX_DRAIN_MS` at the latest; to `SMALL_CHUNKS` if
   * the connection is to be broken off instead.
   */
  async drain(request: Request): Promise<typeof SMALL_CHUNKS | undefined> {
    if (this.open === MAX_DRAINS || !hasMoreToCome(request)) return undefined;
    this.open += 1;
    const over = discard(request, this.clock, this.stopping.signal);
    return await over.finally(() => void (this.open -= 1));
  }

  /** Ends all drains. */
  stop(): void {
    this.stopping.abort();
  }
}

/**
 * Reports whether more of the body may arrive: a sender with `Expect: 100-continue` has not
 * started, and a body that declares too much is not worth reading.
 */
function hasMoreToCome({ headers, body }: Request): boolean {
  if (headers.get("expect")?.toLowerCase() === "100-continue") return false;
  return Number(headers.get("content-length")) <= MAX_DRAIN_BYTES && body !== null;
}

/**
 * Discards the rest. Never rejects: without a connection, nothing is left to read or answer.
 *
 * Chunks are read from the next turn on, as by `readBody`. A body with a declared length has none,
 * and is answered at once if it has arrived: otherwise Bun would close the connection when another
 * request follows on it.
 */
async function discard(
  { headers, body }: Request,
  clock: SleepingClock,
  stopping: AbortSignal,
): Promise<typeof SMALL_CHUNKS | undefined> {
  if (!headers.has("content-length")) await turn();
  const reader = pieceReader(body!);
  const ended = new AbortController();
  const patience = clock.sleep(MAX_DRAIN_MS, AbortSignal.any([ended.signal, stopping]));
  // Ends the pending read.
  void Promise.allSettled([patience.then(() => reader.cancel())]);
  const fault = await readToEnd(reader).catch(() => undefined);
  ended.abort();
  return fault;
}

async function readToEnd(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<typeof SMALL_CHUNKS | undefined> {
  let [pieceCount, drainedBytes] = [0, 0];
  for (let isOver = false; !isOver;) {
    // oxlint-disable-next-line no-await-in-loop -- pieces come one after the other
    const { value: pieces, done } = await reader.readMany();
    for (const piece of pieces) {
      drainedBytes += piece.length;
      releaseBytes(piece);
    }
    pieceCount += pieces.length;
    if (areTooSmall(pieceCount, drainedBytes)) return SMALL_CHUNKS;
    isOver = done || drainedBytes > MAX_DRAIN_BYTES;
  }
  return undefined;
}
