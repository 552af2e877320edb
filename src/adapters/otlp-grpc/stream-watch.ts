import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  constants,
  type Http2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
  type ServerStreamResponseOptions,
} from "node:http2";
import {
  adaptHeaders,
  refusalHeaders,
  refuseByType,
  refusedCall,
  tokenRefusal,
  tooLargeCall,
  cardinalityFault,
  isCardinalityFault,
} from "./call-headers.ts";
import type { Connection, ConnectionTable } from "./connection-table.ts";
import { isWorthIt, releaseBytes } from "../../application/ring/release-bytes.ts";
import type { Problem, ProblemLog } from "../../ports/logger.ts";
import type { TokenGate, TokenRefusal } from "../listening/token-gate.ts";
import type { CollectionPace } from "../memory/collection-pace.ts";
import type { InFlightBudget, OpenRequest } from "../memory/in-flight-budget.ts";
import { type MessagePrefix, emptyPrefix, PREFIX_BYTES, readPrefix } from "./message-encoding.ts";
import { EXPORT_PATH } from "./export-services.ts";
import type { UnfinishedRequest, UnfinishedRequests } from "./unfinished-requests.ts";

/**
 * Watches each HTTP/2 stream of our connections from start to end.
 *
 * grpc-js shows calls, but neither their streams nor the pieces of a message; Node's diagnostics
 * channels do. (An interceptor sees complete messages only. `socket.bytesRead` would be simpler,
 * and is always 0 in Bun: https://github.com/oven-sh/bun/issues/42302.)
 *
 * The channels belong to the process, so streams of connections that are not in the table are
 * ignored.
 */
interface StreamWatchParts {
  readonly connections: ConnectionTable;
  readonly budget: InFlightBudget;
  readonly pace: CollectionPace;
  /** The limit above which grpc-js refuses a message without calling a handler. */
  readonly maxMessageBytes: number;
  /** Called for each trace request that grpc-js refuses without calling a handler. */
  readonly turnedAway: (outcome: "too_large" | "malformed") => void;
  readonly problems: ProblemLog;
  /** Checks the tokens of calls; without it, everyone may call. */
  readonly gate?: TokenGate | undefined;
  readonly unfinished: UnfinishedRequests;
}

interface StreamEvent {
  readonly stream: WatchedStream;
  readonly headers: IncomingHttpHeaders;
}

/** The key of the record on its stream: a map from streams to records would be slower. */
const RECORD = Symbol("record");
type WatchedStream = ServerHttp2Stream & { [RECORD]?: StreamRecord };

interface StreamRecord extends UnfinishedRequest {
  readonly parts: StreamWatchParts;
  readonly connection: Connection;
  readonly address: string;
  readonly open: OpenRequest;
  readonly path: string;
  /** The original method of the stream. */
  readonly respond: ServerHttp2Stream["respond"];
  readonly prefix: MessagePrefix;
  /**
   * The large pieces of its message. The decoder of grpc-js may read them until the stream ends, so
   * the peer decides how long they live, and they are charged for as long.
   */
  readonly pieces: Uint8Array[];
}

/**
 * The memory of an open stream without its headers and its message, in grpc-js and Bun. A test
 * measures it with the rest (`test/adapters/memory/charges.test.ts`).
 */
const STREAM_BYTES = 4 * 1024;

/**
 * The prefix of two channels: `created` after the headers of a stream, `close` after it has ended,
 * for whatever reason.
 */
const PREFIX = "http2.server.stream.";

/** Starts the watch; returns the function that ends it. */
export function watchStreams(parts: StreamWatchParts): () => void {
  const owners = new WeakMap<Http2Session, Connection>();
  const begun = (event: unknown) => {
    const { stream, headers } = event as StreamEvent;
    const { session } = stream;
    if (session === undefined) return;
    const connection = owners.get(session) ?? greet(session, { ...parts, owners });
    if (connection === undefined) return;
    watch(stream, headers, { connection, parts });
    parts.pace.note();
  };
  const channels = { created: begun, close: ended };
  for (const [name, listener] of Object.entries(channels)) subscribe(PREFIX + name, listener);
  return () => {
    for (const [name, listener] of Object.entries(channels)) unsubscribe(PREFIX + name, listener);
  };
}

interface Owners extends Pick<StreamWatchParts, "connections" | "problems"> {
  readonly owners: WeakMap<Http2Session, Connection>;
}

/** Finds the connection of a session at its first stream. */
function greet(
  session: Http2Session,
  { connections, owners, problems }: Owners,
): Connection | undefined {
  const connection = connections.find(session.socket);
  if (connection === undefined) return undefined;
  owners.set(session, connection);
  connection.hasBegun = true;
  widenWindows(session);
  const { address } = connection;
  session.once("error", (error: NodeJS.ErrnoException) => {
    if (!isProtocolError(error)) return;
    problems.note({ protocol: "grpc", reason: "broken_http2", address });
  });
  return connection;
}

/** Reports whether the peer broke HTTP/2: a connection that is closed or reset is not a fault. */
function isProtocolError({ code = "" }: NodeJS.ErrnoException): boolean {
  return code.startsWith("ERR_HTTP2");
}

function watch(
  stream: WatchedStream,
  headers: IncomingHttpHeaders,
  { connection, parts }: { readonly connection: Connection; readonly parts: StreamWatchParts },
): void {
  const { gate } = parts;
  const refusal = gate && tokenRefusal(gate, headers, connection.address);
  adaptHeaders(headers);
  const open = parts.budget.begin(connection, STREAM_BYTES + bytesOf(headers));
  const record: StreamRecord = {
    parts,
    connection,
    address: connection.address,
    startedMs: open.openedAtMs,
    expire: () => abandon(stream, record),
    open,
    path: headers[":path"] ?? "",
    respond: stream.respond,
    prefix: emptyPrefix(),
    receivedBytes: 0,
    pieces: [],
  };
  stream[RECORD] = record;
  stream.respond = refusal === undefined ? respond : () => void refuse(stream, refusal, parts);
  if (refusal === undefined) return begin(stream, record);
  refuseByType(headers);
  // Discards the message, which would otherwise wait in the buffers of the stream.
  stream.resume();
}

function begin(stream: WatchedStream, record: StreamRecord): void {
  record.parts.unfinished.add(record);
  stream.on("data", received);
}

/** Answers a call without a valid token, and makes its peer send no more of the message. */
async function refuse(
  stream: WatchedStream,
  refusal: TokenRefusal,
  { gate }: StreamWatchParts,
): Promise<void> {
  // The budget of requests in flight limits how many streams wait.
  await gate?.pause(refusal, Number.POSITIVE_INFINITY);
  const record = stream[RECORD];
  if (record === undefined || stream.destroyed) return;
  record.respond.call(stream, refusalHeaders(refusal), { endStream: true });
  stream.close(constants.NGHTTP2_NO_ERROR);
}

/** Ends a call whose message takes too long, and a connection that has not sent any other one. */
function abandon(stream: WatchedStream, record: StreamRecord): void {
  note(record, { reason: "request_timeout" });
  if (record.connection.hasSentMessage) stream.close(constants.NGHTTP2_CANCEL);
  else record.connection.close();
}

function received(this: WatchedStream, piece: Uint8Array): void {
  const record = this[RECORD];
  if (record === undefined) return;
  record.parts.budget.hold(record.open, piece.length);
  record.receivedBytes += piece.length;
  if (readPrefix(record.prefix, piece)) checkPrefix(record);
  if (isWorthIt(piece)) record.pieces.push(piece);
  if (isWhole(record)) finish(record);
}

function isWhole({ prefix, receivedBytes }: StreamRecord): boolean {
  return prefix.seenBytes === PREFIX_BYTES && receivedBytes >= PREFIX_BYTES + prefix.lengthBytes;
}

function finish(record: StreamRecord): void {
  record.connection.hasSentMessage = true;
  record.parts.unfinished.remove(record);
}

/** Checks the length as grpc-js does, so that the messages that it refuses are counted. */
function checkPrefix(record: StreamRecord): void {
  const { prefix, parts, path } = record;
  const { lengthBytes } = prefix;
  const { maxMessageBytes: maxBytes } = parts;
  if (lengthBytes <= maxBytes) return;
  if (path === EXPORT_PATH) parts.turnedAway("too_large");
  note(record, tooLargeCall(path, { lengthBytes, maxBytes }));
}

function note(
  { parts, address }: StreamRecord,
  problem: Pick<Problem, "reason" | "detail"> | undefined,
): void {
  if (problem !== undefined) parts.problems.note({ protocol: "grpc", address, ...problem });
}

/**
 * Replaces the method of the stream, to correct the one wrong answer of grpc-js and to see which
 * calls it refuses without a handler.
 */
function respond(
  this: WatchedStream,
  headers: OutgoingHttpHeaders = {},
  options?: ServerStreamResponseOptions,
): void {
  const record = this[RECORD]!;
  if (!isCardinalityFault(headers)) {
    record.respond.call(this, headers, options);
    return note(record, refusedCall(headers, record.path));
  }
  const { code, message } = cardinalityFault(record);
  const status = { "grpc-status": code, "grpc-message": encodeURI(message) };
  record.respond.call(this, { ...headers, ...status }, options);
  if (record.path !== EXPORT_PATH) return;
  record.parts.turnedAway("malformed");
  note(record, { reason: "malformed", detail: message });
}

function ended(event: unknown): void {
  const record = (event as StreamEvent).stream[RECORD];
  if (record === undefined) return;
  record.parts.budget.end(record.open);
  record.parts.unfinished.remove(record);
  for (const piece of record.pieces.splice(0)) releaseBytes(piece);
}

/** The memory of a header field apart from its text, in Bun and in the metadata of grpc-js. */
const FIELD_BYTES = 384;

/** Returns the memory of the headers, which live as long as the stream: up to 64 KiB of text. */
function bytesOf(headers: IncomingHttpHeaders): number {
  let bytes = 0;
  for (const name in headers) bytes += FIELD_BYTES + name.length + String(headers[name]).length;
  return bytes;
}

/**
 * The flow-control window of a stream and of a connection.
 *
 * HTTP/2 starts with 64 KiB for a connection with all its streams. A request of 512 spans is three
 * times as long and would take three round trips. With 2 MiB it takes 0.8 of the processor time on
 * loopback. All that arrives is charged to the budget.
 *
 * Both windows must be equal: `setLocalWindowSize` makes Bun believe that every new stream has that
 * window too, so a peer with a smaller one would never be allowed to send on:
 * https://github.com/oven-sh/bun/pull/40180
 */
const WINDOW_BYTES = 2 * 1024 * 1024;

/** Widens both windows: grpc-js has this option for clients only. */
function widenWindows(session: Http2Session): void {
  session.settings({ initialWindowSize: WINDOW_BYTES });
  session.setLocalWindowSize(WINDOW_BYTES);
}
