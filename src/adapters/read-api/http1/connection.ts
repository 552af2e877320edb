import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { releaseBytes } from "../../../application/ring/release-bytes.ts";
import { addToBody, type ArrivingBody, beginBody, chunksOf } from "./body-chunks.ts";
import { isHttp2 } from "./http2-refusal.ts";
import { MAX_HEAD_BYTES, readRequestHead, type RequestHead } from "./request-head.ts";
import { sendResponse } from "./send-response.ts";
import type { TimerClock } from "../../../ports/clock.ts";
import type { SenderTurns } from "../../listening/sender-turns.ts";
import { destroyAfter } from "../../listening/socket-deadline.ts";

/** A request as its handler sees it. */
export interface Http1Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  /** Aborted when the peer has gone. */
  readonly signal: AbortSignal;
  /** The body, if the request takes one and has declared its length. */
  readonly bodyChunks?: AsyncIterable<Uint8Array>;
}

export interface ConnectionParts {
  /** Must not reject. */
  readonly answer: (request: Http1Request, connection: Connection) => Promise<Response>;
  /** Reports whether the handler reads the body of such a request; all others are discarded. */
  readonly takesBody: (head: Pick<RequestHead, "method" | "url">) => boolean;
  /** Returns the response to a head that cannot be served. */
  readonly malformed: (fault: string) => Response;
  /** Takes over a connection that starts with HTTP/2. */
  readonly http2: (socket: Socket) => void;
  /** Called with the number of bytes whose memory is left to the garbage collector. */
  readonly received: (lengthBytes: number) => void;
  readonly clock: TimerClock;
  readonly turns: Pick<SenderTurns, "mayBegin" | "queue">;
  readonly isStopping: () => boolean;
  /** Called when a request has been answered, or its peer has gone. */
  readonly answered: () => void;
}

/** One connection. Its requests are answered one after the other. */
export interface Connection {
  readonly socket: Socket;
  readonly address: string;
  /** The bytes that have arrived and belong to the next requests. */
  pending: Buffer;
  /** The bytes of the last request's body that are still to arrive, and are discarded. */
  discardBytes: number;
  /** The body that the current request reads; its connection is closed afterwards. */
  body: ArrivingBody | undefined;
  /** Whether a request is being answered, or waits for its turn. */
  isBusy: boolean;
  /** Whether the connection may be silent, as during waits. */
  mayIdle: boolean;
  /** Whether no more requests are read. */
  isLast: boolean;
  /** Whether nothing has arrived yet. */
  isNew: boolean;
  /** Since when a head, or the rest of a body, is incomplete. */
  headSinceMs: number | undefined;
  /** Ends the request that is being answered. */
  gone: AbortController | undefined;
}

/** Closes connections without traffic: between two requests, or if a reader has stopped reading. */
export const IDLE_TIMEOUT_SECONDS = 30;
const IDLE_TIMEOUT_MS = IDLE_TIMEOUT_SECONDS * 1000;

/** The time in which a peer can send the rest of a body that it has begun, and read its answer. */
const LINGER_MS = 5_000;

/** A longer body is not waited for: its connection is closed after the response. */
const MAX_DISCARDED_BYTES = 64 * 1024;

/** The bytes that are kept of what arrives at once: a head and a body that is waited for. */
const MAX_PENDING_BYTES = MAX_HEAD_BYTES + MAX_DISCARDED_BYTES;

/** Serves a socket. Calls `parts.answer` for one request at a time, and at most once a turn. */
export function serveConnection(socket: Socket, parts: ConnectionParts): Connection {
  const connection: Connection = {
    socket,
    address: socket.remoteAddress ?? "",
    pending: Buffer.alloc(0),
    discardBytes: 0,
    body: undefined,
    isBusy: false,
    mayIdle: false,
    isLast: false,
    isNew: true,
    headSinceMs: undefined,
    gone: undefined,
  };
  // An error is followed by "close".
  socket.on("error", () => {});
  socket.on("data", (bytes: Buffer) => receive(connection, bytes, parts));
  socket.once("end", () => endOfPeer(connection));
  socket.once("close", () => connection.gone?.abort());
  socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy());
  return connection;
}

/**
 * Answers what a peer has asked before it closed its side, as `nc -N` does. A peer that is gone
 * looks the same until something is sent to it. Waits and tails may send nothing for long, so they
 * count as gone, like a peer whose body is not complete.
 */
function endOfPeer(connection: Connection): void {
  const { socket, isBusy, isLast, mayIdle, body } = connection;
  const isWhole = isBusy && !mayIdle && (body === undefined || body.leftBytes === 0);
  if (isWhole) connection.isLast = true;
  else if (!isLast) socket.destroy();
}

/** Sets whether the connection may be without traffic. */
export function allowIdling(connection: Connection, mayIdle: boolean): void {
  connection.mayIdle = mayIdle;
  connection.socket.setTimeout(mayIdle ? 0 : IDLE_TIMEOUT_MS);
  limitPending(connection);
}

function receive(connection: Connection, bytes: Buffer, parts: ConnectionParts): void {
  if (connection.isLast) return releaseBytes(bytes);
  const { pending, discardBytes, isNew, body } = connection;
  if (body !== undefined) {
    parts.received(bytes.length);
    return addToBody(body, bytes, connection.socket);
  }
  connection.isNew = false;
  if (isNew && isHttp2(bytes)) return handOver(connection, bytes, parts);
  const fresh = bytes.subarray(Math.min(discardBytes, bytes.length));
  connection.discardBytes = Math.max(0, discardBytes - bytes.length);
  const room = MAX_PENDING_BYTES - pending.length;
  connection.pending = Buffer.concat([pending, fresh.subarray(0, room)]);
  if (fresh.length > room) beyondRoom(connection, fresh.subarray(room), parts);
  parts.received(bytes.length + connection.pending.length);
  releaseBytes(bytes);
  const { isBusy, address } = connection;
  if (isBusy || parts.turns.mayBegin(address)) workNow(connection, parts);
  else workInTurn(connection, parts);
}

function workNow(connection: Connection, parts: ConnectionParts): void {
  if (!connection.isBusy) void work(connection, parts);
  limitPending(connection);
}

/**
 * Begins the request in a later turn, because Bun reads all sockets that have sent something in
 * one. Nothing more is read until then, nor afterwards if no more requests are read.
 */
function workInTurn(connection: Connection, parts: ConnectionParts): void {
  const { socket, address: sender } = connection;
  connection.isBusy = true;
  // The sender is not to blame for this wait.
  const { headSinceMs } = connection;
  connection.headSinceMs = undefined;
  socket.pause();
  const step = (): false => {
    connection.isBusy = false;
    connection.headSinceMs = headSinceMs;
    if (!connection.isLast) socket.resume();
    workNow(connection, parts);
    return false;
  };
  parts.turns.queue({ sender, step });
}

/**
 * Keeps the bytes if they belong to a body that will be read. A peer whose further bytes are thrown
 * away gets no response to them.
 */
function beyondRoom(connection: Connection, rest: Uint8Array, parts: ConnectionParts): void {
  const read = connection.isBusy ? undefined : readRequestHead(connection.pending);
  if (read === undefined || !openBody(connection, read, parts)) return readNoMore(connection);
  addToBody(connection.body!, Buffer.from(rest), connection.socket);
}

/** Begins to read the body of a request that takes one. Returns false if it takes none. */
function openBody(
  connection: Connection,
  { head, lengthBytes }: NonNullable<ReturnType<typeof readRequestHead>>,
  { takesBody }: ConnectionParts,
): boolean {
  if (connection.body !== undefined) return true;
  if ("fault" in head || head.bodyBytes === undefined || !takesBody(head)) return false;
  const { pending, socket } = connection;
  connection.body = beginBody(head.bodyBytes);
  addToBody(connection.body, Buffer.from(pending.subarray(lengthBytes)), socket);
  connection.pending = pending.subarray(0, lengthBytes);
  return true;
}

/**
 * Keeps no more than the limit of a head for the next requests. A peer that sends more while it
 * waits for a response gets no further ones: its socket is not read until the connection is closed.
 * During a wait nothing is sent that would show whether the peer is there, so it is cut.
 */
function limitPending(connection: Connection): void {
  const { socket, pending, mayIdle, isLast } = connection;
  if (mayIdle && (isLast || pending.length > MAX_HEAD_BYTES)) socket.destroy();
  if (pending.length <= MAX_HEAD_BYTES) return;
  connection.pending = Buffer.from(pending.subarray(0, MAX_HEAD_BYTES));
  releaseBytes(pending);
  readNoMore(connection);
}

function readNoMore(connection: Connection): void {
  connection.isLast = true;
  connection.socket.pause();
}

/** Answers requests until none is complete. */
async function work(connection: Connection, parts: ConnectionParts): Promise<void> {
  connection.isBusy = true;
  // oxlint-disable-next-line no-await-in-loop -- one request at a time
  while (await answerNext(connection, parts)) await nextTurn();
  if (parts.isStopping() && !connection.isLast) close(connection, parts);
  connection.isBusy = false;
  noteIncomplete(connection, parts);
  parts.answered();
}

/** Notes since when, not until when, so that no peer gains time with a byte now and then. */
function noteIncomplete(connection: Connection, { clock }: ConnectionParts): void {
  const { pending, discardBytes, headSinceMs = clock.monotonicMs() } = connection;
  const isIncomplete = pending.length > 0 || discardBytes > 0;
  connection.headSinceMs = isIncomplete ? headSinceMs : undefined;
}

/** Returns false if no complete request is left, or none may follow. */
async function answerNext(connection: Connection, parts: ConnectionParts): Promise<boolean> {
  const { socket } = connection;
  const read = socket.destroyed ? undefined : readRequestHead(connection.pending);
  if (read === undefined) return connection.isLast && close(connection, parts);
  const hasBody = openBody(connection, read, parts);
  connection.pending = connection.pending.subarray(read.lengthBytes);
  connection.headSinceMs = undefined;
  const { head } = read;
  if ("fault" in head) {
    await sendResponse(socket, parts.malformed(head.fault), { method: "GET", isLast: true });
    return close(connection, parts);
  }
  const isLast = hasBody || isLastRequest(connection, head) || parts.isStopping();
  if (!hasBody) discardBody(connection, head);
  const isDone = await answer(connection, parts, { ...head, isLast });
  if (!isDone || isLast) return close(connection, parts);
  if (connection.isLast && connection.pending.length === 0) return close(connection, parts);
  return connection.pending.length > 0;
}

function isLastRequest({ pending, isLast }: Connection, head: RequestHead): boolean {
  if (head.isLast || head.bodyBytes === undefined || head.bodyBytes > MAX_DISCARDED_BYTES) {
    return true;
  }
  return head.headers.has("expect") || (isLast && pending.length === 0);
}

function discardBody(connection: Connection, { bodyBytes = 0 }: RequestHead): void {
  const { pending } = connection;
  connection.pending = pending.subarray(Math.min(bodyBytes, pending.length));
  connection.discardBytes = Math.max(0, bodyBytes - pending.length);
}

/** Resolves to false if the response could not be sent whole. */
async function answer(
  connection: Connection,
  parts: ConnectionParts,
  head: RequestHead,
): Promise<boolean> {
  const gone = new AbortController();
  connection.gone = gone;
  const { body, socket } = connection;
  const { method, url, headers } = head;
  const bodyChunks = body && chunksOf(body, socket, headers.has("expect"));
  const request = { method, url, headers, signal: gone.signal, ...(bodyChunks && { bodyChunks }) };
  const response = await parts.answer(request, connection);
  const isSent = await sendResponse(connection.socket, response, head);
  connection.gone = undefined;
  return isSent;
}

/** Ends the connection, after the peer has had time to read the last response. */
function close(connection: Connection, { clock }: ConnectionParts): false {
  const { socket } = connection;
  connection.isLast = true;
  connection.body = undefined;
  connection.pending = Buffer.alloc(0);
  if (socket.destroyed) return false;
  socket.end();
  socket.resume();
  socket.setTimeout(0);
  destroyAfter(LINGER_MS, socket, clock);
  return false;
}

function handOver({ socket }: Connection, bytes: Buffer, { http2 }: ConnectionParts): void {
  socket.removeAllListeners("data").pause();
  socket.unshift(bytes);
  http2(socket);
}
