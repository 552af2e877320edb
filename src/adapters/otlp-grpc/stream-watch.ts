import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type {
  Http2Session,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Stream,
  ServerStreamResponseOptions,
} from "node:http2";
import {
  adaptHeaders,
  refusedCall,
  tooLargeCall,
  cardinalityFault,
  isCardinalityFault,
} from "./call-headers.ts";
import type { Connection, ConnectionTable } from "./connection-table.ts";
import { isWorthIt, releaseBytes } from "../../application/ring/release-bytes.ts";
import type { Problem, ProblemLog } from "../../ports/problem-log.ts";
import type { CollectionPace } from "../memory/collection-pace.ts";
import type { InFlightBudget, OpenRequest } from "../memory/in-flight-budget.ts";
import { type MessagePrefix, emptyPrefix, readPrefix } from "./message-encoding.ts";
import { EXPORT_PATH } from "./export-services.ts";

/**
 * Every HTTP/2 stream of our connections, from its beginning to its end.
 *
 * grpc-js shows its calls, and neither their streams nor the pieces of a message. Node's
 * diagnostics channels do. (An interceptor sees whole messages only. `socket.bytesRead` would be
 * the simplest measure and is 0 here: https://github.com/oven-sh/bun/issues/42302.)
 *
 * The channels are the process's: streams of connections that are not in the table are let pass.
 */
interface StreamWatchParts {
  readonly connections: ConnectionTable;
  readonly budget: InFlightBudget;
  readonly pace: CollectionPace;
  /** Over it, grpc-js refuses a message by itself, and no handler hears of it. */
  readonly maxMessageBytes: number;
  /** A trace request that it refuses by itself. */
  readonly turnedAway: (outcome: "too_large" | "malformed") => void;
  readonly problems: ProblemLog;
}

interface StreamEvent {
  readonly stream: WatchedStream;
  readonly headers: IncomingHttpHeaders;
}

/** The stream carries its own record: a map from streams to records would be the slower one. */
const RECORD = Symbol("record");
type WatchedStream = ServerHttp2Stream & { [RECORD]?: StreamRecord };

interface StreamRecord {
  readonly parts: StreamWatchParts;
  readonly address: string;
  readonly open: OpenRequest;
  readonly path: string;
  /** The stream's own. */
  readonly respond: ServerHttp2Stream["respond"];
  readonly prefix: MessagePrefix;
  receivedBytes: number;
  /**
   * Of its message, the large ones. The decoder of grpc-js may look at them until the stream is
   * over, and so its peer decides how long: they are charged for as long.
   */
  readonly pieces: Uint8Array[];
}

/** An open stream without a message, in grpc-js and in Bun: measured, 100 on each of 100. */
const STREAM_BYTES = 6 * 1024;

/** `created`: headers received. `close`: over, however it came. */
const PREFIX = "http2.server.stream.";

/** Returns the function that ends the watch. */
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
  for (const [name, heard] of Object.entries(channels)) subscribe(PREFIX + name, heard);
  return () => {
    for (const [name, heard] of Object.entries(channels)) unsubscribe(PREFIX + name, heard);
  };
}

interface Owners extends Pick<StreamWatchParts, "connections" | "problems"> {
  readonly owners: WeakMap<Http2Session, Connection>;
}

/** The first stream of a session: whose is it? */
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

/** Peers also go without a word, or reset the connection: then it is no fault of HTTP/2. */
function isProtocolError({ code = "" }: NodeJS.ErrnoException): boolean {
  return code.startsWith("ERR_HTTP2");
}

function watch(
  stream: WatchedStream,
  headers: IncomingHttpHeaders,
  { connection, parts }: { readonly connection: Connection; readonly parts: StreamWatchParts },
): void {
  adaptHeaders(headers);
  const open = parts.budget.begin(connection, STREAM_BYTES + lengthOf(headers));
  stream[RECORD] = {
    parts,
    address: connection.address,
    open,
    path: headers[":path"] ?? "",
    respond: stream.respond,
    prefix: emptyPrefix(),
    receivedBytes: 0,
    pieces: [],
  };
  stream.respond = respond;
  stream.on("data", received);
}

function received(this: WatchedStream, piece: Uint8Array): void {
  const record = this[RECORD];
  if (record === undefined) return;
  record.parts.budget.hold(record.open, piece.length);
  record.receivedBytes += piece.length;
  if (readPrefix(record.prefix, piece)) checkPrefix(record);
  if (isWorthIt(piece)) record.pieces.push(piece);
}

/** As grpc-js does with the same bytes, so that what it refuses is counted. */
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
 * Stands in for the stream's own: for the one answer of grpc-js that is wrong, and to see what it
 * refuses by itself.
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
  for (const piece of record.pieces.splice(0)) releaseBytes(piece);
}

/** Kept as long as the stream: a peer may send up to 64 KiB of them. */
function lengthOf(headers: IncomingHttpHeaders): number {
  let lengthBytes = 0;
  for (const name in headers) lengthBytes += name.length + String(headers[name]).length;
  return lengthBytes;
}

/**
 * How much a peer may send before it has to hear from us again, on a stream and on a connection.
 *
 * HTTP/2 begins with 64 KiB for a connection with all its streams: a request of 512 spans is three
 * times as long and would take three round trips, whatever else its connection carries. With 2 MiB
 * it costs 0.8 of the processor time on loopback. What arrives is charged to the budget all the
 * same.
 *
 * The two must be the same. `setLocalWindowSize` makes Bun believe that every new stream has that
 * window too, so a peer that was told of a smaller one would wait for ever:
 * https://github.com/oven-sh/bun/pull/40180
 */
const WINDOW_BYTES = 2 * 1024 * 1024;

/** grpc-js has an option for it in clients only, so a connection begins with the small windows. */
function widenWindows(session: Http2Session): void {
  session.settings({ initialWindowSize: WINDOW_BYTES });
  session.setLocalWindowSize(WINDOW_BYTES);
}
