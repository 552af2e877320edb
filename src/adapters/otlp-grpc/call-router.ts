import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  constants,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { assert } from "../../domain/assert.ts";
import type { ProblemLog } from "../../ports/logger.ts";
import type { TokenGate, TokenRefusal } from "../listening/token-gate.ts";
import type { CollectionPace } from "../memory/collection-pace.ts";
import type { InFlightBudget } from "../memory/in-flight-budget.ts";
import { isGone, type RoutedCall, type UnaryMethod } from "./call-handlers.ts";
import {
  adaptHeaders,
  type CallFault,
  type CallProblem,
  dropUnusedFields,
  problemOf,
  refusalHeaders,
  tokenRefusal,
  unhandledCall,
} from "./call-headers.ts";
import type { Connection, ConnectionTable } from "./connection-table.ts";
import { EXPORT_PATH } from "./export-services.ts";
import { watchLibraryCall } from "./library-call.ts";
import { answerUnaryCall } from "./unary-stream.ts";
import type { UnfinishedRequests } from "./unfinished-requests.ts";

interface CallRouterParts {
  readonly connections: ConnectionTable;
  readonly budget: InFlightBudget;
  readonly pace: CollectionPace;
  /** The methods that spanring answers itself, by their paths. */
  readonly methods: ReadonlyMap<string, UnaryMethod>;
  /** The paths of the methods that grpc-js calls. */
  readonly libraryPaths: ReadonlySet<string>;
  /** The limit of a message before decompression. */
  readonly maxMessageBytes: number;
  /** Called for each trace request that is refused without calling a handler. */
  readonly turnedAway: (outcome: CallFault["outcome"]) => void;
  readonly problems: ProblemLog;
  /** Checks the tokens of calls; without it, everyone may call. */
  readonly gate?: TokenGate | undefined;
  readonly unfinished: UnfinishedRequests;
}

/** Called with the stream, its headers, and what else grpc-js needs. */
type StreamListener = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  ...rest: unknown[]
) => void;

/** The channel of Node's diagnostics for streams of any server of the process. */
const CREATED = "http2.server.stream.created";

/**
 * Takes the calls over from grpc-js, and leaves it those of methods with several messages. Returns
 * the function that ends the wait for the first one.
 *
 * grpc-js creates its HTTP/2 server itself, and shows it to nobody; the first stream does, before
 * grpc-js learns of it. From then on each stream comes here.
 */
export function routeCalls(parts: CallRouterParts): () => void {
  const route = routeOf(parts);
  const created = (event: unknown): void => {
    const { session } = (event as { readonly stream: ServerHttp2Stream }).stream;
    if (session === undefined || parts.connections.find(session.socket) === undefined) return;
    unsubscribe(CREATED, created);
    const toLibrary = replaceListener(serverOf(session), (stream, headers, ...rest) => {
      if (route(stream, headers) === "library") toLibrary(stream, headers, ...rest);
    });
  };
  subscribe(CREATED, created);
  return () => void unsubscribe(CREATED, created);
}

/** Returns the server of a session: a property of Node and Bun that neither documents. */
function serverOf(session: Http2Session): Http2Server {
  const { server } = session as Http2Session & { readonly server?: Http2Server };
  assert(server !== undefined, "a session that was accepted has a server");
  return server;
}

/** Puts a listener in the place of the one of grpc-js, and returns the latter. */
function replaceListener(server: Http2Server, listener: StreamListener): StreamListener {
  const [own] = server.listeners("stream") as StreamListener[];
  assert(own !== undefined, "grpc-js listens for streams");
  server.removeAllListeners("stream");
  server.on("stream", listener);
  return own;
}

/** Returns the function that begins each call, and decides whether it is for grpc-js. */
function routeOf(parts: CallRouterParts) {
  const owners = new WeakMap<Http2Session, Connection>();
  const isKnown = (path: string) => parts.methods.has(path) || parts.libraryPaths.has(path);
  return (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): "library" | "done" => {
    // An error is followed by "close", which is handled.
    stream.on("error", () => {});
    const connection = connectionOf(stream, { ...parts, owners });
    if (connection === undefined) return reset(stream);
    const call = begin(stream, headers, { connection, parts });
    const refusal = parts.gate && tokenRefusal(parts.gate, headers, connection.address);
    if (refusal !== undefined) return refuse(call, refusal, parts);
    const problem = unhandledCall(headers, isKnown);
    note(call, problem, parts);
    const method = problem === undefined ? parts.methods.get(call.path) : undefined;
    if (method !== undefined) return answer(call, headers, { method, parts });
    adaptHeaders(headers);
    watchLibraryCall(call, parts);
    return "library";
  };
}

interface ConnectionParts extends CallRouterParts {
  readonly owners: WeakMap<Http2Session, Connection>;
}

/** Returns the connection of a stream; undefined if it was dropped in the meantime. */
function connectionOf(
  { session }: ServerHttp2Stream,
  { connections, owners, problems }: ConnectionParts,
): Connection | undefined {
  if (session === undefined) return undefined;
  const known = owners.get(session) ?? connections.find(session.socket);
  if (known === undefined || owners.has(session)) return known;
  owners.set(session, known);
  known.begin(session);
  widenWindows(session);
  session.once("error", (error: NodeJS.ErrnoException) => {
    if (!isProtocolError(error) || isFarewell(known)) return;
    problems.note({ protocol: "grpc", reason: "broken_http2", address: known.address });
  });
  return known;
}

/** Reports whether the peer broke HTTP/2: a connection that is closed or reset is not a fault. */
function isProtocolError({ code = "" }: NodeJS.ErrnoException): boolean {
  return code.startsWith("ERR_HTTP2");
}

/**
 * Reports whether the peer has ended its connection without a call under way, so that nothing can
 * be lost. grpc-go then names the last stream that it opened itself, where HTTP/2 wants the last
 * one of the server, and Bun takes that for a violation.
 * Source: RFC 9113, section 6.8.
 */
function isFarewell({ isLeaving, openCalls }: Connection): boolean {
  return isLeaving && openCalls === 0;
}

function reset(stream: ServerHttp2Stream): "done" {
  stream.close(constants.NGHTTP2_REFUSED_STREAM);
  return "done";
}

/**
 * The memory of an open stream without its headers and its message, in grpc-js and Bun. A test
 * measures it with the rest (`test/adapters/memory/charges.test.ts`).
 */
const STREAM_BYTES = 4 * 1024;

function begin(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  { connection, parts }: { readonly connection: Connection; readonly parts: CallRouterParts },
): RoutedCall {
  parts.pace.note();
  connection.callBegan();
  const open = parts.budget.begin(connection, STREAM_BYTES + keptBytes(headers, parts));
  stream.on("close", () => {
    connection.callEnded();
    parts.budget.end(open);
  });
  const expire = () => abandon(call, parts);
  const call = { stream, connection, path: headers[":path"] ?? "", open, expire };
  return call;
}

/** Ends a call whose message takes too long, and a connection that has not sent any other one. */
function abandon(call: RoutedCall, parts: CallRouterParts): void {
  note(call, { reason: "request_timeout", detail: "" }, parts);
  if (call.connection.stage === "used") call.stream.close(constants.NGHTTP2_CANCEL);
  else call.connection.close();
}

/** More than the headers of a usual call take. */
const LARGE_HEADERS_BYTES = 8 * 1024;

/**
 * Returns the memory of the headers while the stream is open. Large ones are reduced to those that
 * are used if no library reads them, so that the collector frees the others while they are young.
 */
function keptBytes(headers: IncomingHttpHeaders, { methods, pace }: CallRouterParts): number {
  const bytes = bytesOf(headers);
  if (bytes < LARGE_HEADERS_BYTES || !methods.has(headers[":path"] ?? "")) return bytes;
  const droppedBytes = DROPPED_FIELD_BYTES * dropUnusedFields(headers);
  pace.noteGarbage(bytes);
  return bytesOf(headers) + droppedBytes;
}

/** What an object keeps of a field that has been removed from it. */
const DROPPED_FIELD_BYTES = 48;

/** The memory of a header field apart from its text, in Bun and in the metadata of grpc-js. */
const FIELD_BYTES = 384;

/** Returns the memory of the headers: up to 64 KiB of text. */
function bytesOf(headers: IncomingHttpHeaders): number {
  let bytes = 0;
  for (const name in headers) bytes += FIELD_BYTES + name.length + String(headers[name]).length;
  return bytes;
}

/** Begins to refuse a call without a valid token, and discards its message. */
function refuse(call: RoutedCall, refusal: TokenRefusal, { gate }: CallRouterParts): "done" {
  call.stream.resume();
  void refuseLater(call, refusal, gate);
  return "done";
}

async function refuseLater(
  { stream }: RoutedCall,
  refusal: TokenRefusal,
  gate: TokenGate | undefined,
): Promise<void> {
  // The budget of requests in flight limits how many streams wait.
  await gate?.pause(refusal, Number.POSITIVE_INFINITY);
  if (isGone(stream)) return;
  stream.respond(refusalHeaders(refusal), { endStream: true });
  // Makes the peer send no more of the message.
  stream.close(constants.NGHTTP2_NO_ERROR);
}

function note(
  { connection: { address } }: RoutedCall,
  problem: CallProblem | undefined,
  { problems }: CallRouterParts,
): void {
  if (problem !== undefined) problems.note({ protocol: "grpc", address, ...problem });
}

function answer(
  call: RoutedCall,
  headers: IncomingHttpHeaders,
  { method, parts }: { readonly method: UnaryMethod; readonly parts: CallRouterParts },
): "done" {
  const refused = (fault: CallFault): void => {
    if (call.path === EXPORT_PATH) parts.turnedAway(fault.outcome);
    note(call, problemOf(fault, call.path), parts);
  };
  answerUnaryCall(call, headers, { ...parts, method, refused });
  return "done";
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
