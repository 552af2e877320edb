import { UNSUPPORTED_SIGNALS } from "../../application/receiving/unsupported-signals.ts";
import type { ProblemLog } from "../../ports/logger.ts";
import { grpcRefusal, isGrpcType } from "../otlp/export-response.ts";
import { noteAnswer } from "../otlp/receive-request.ts";
import { answerResponse, type ExtraHeaders } from "./answer-response.ts";
import {
  countFailure,
  receiveBody,
  type ReceiveBodyParts,
  type RequestHead,
  type Signal,
} from "./receive-body.ts";
import {
  type BodyDrain,
  type BodyFormat,
  bodyFormat,
  CODINGS_TAKEN,
  contentCoding,
  MEDIA_TYPES,
  readBody,
  SMALL_CHUNKS,
} from "./request-body.ts";
import {
  API_KEY_HEADER,
  type Caller,
  type TokenGate,
  type TokenRefusal,
} from "../listening/token-gate.ts";
import { type Cors, originOf } from "./cors.ts";
import type { Peer } from "./request-peer.ts";
import { isGivenUp, type RequestInFlight, type RequestTable } from "./request-table.ts";
import {
  pathOf,
  type WrongReason,
  type WrongRequest,
  wrongRequestProblem,
} from "./wrong-requests.ts";

export interface ExportParts extends ReceiveBodyParts {
  readonly table: RequestTable;
  /** The CORS headers; without it, answers have none. */
  readonly cors: Cors | undefined;
  readonly problems: ProblemLog;
  readonly drain: BodyDrain;
  /** Undefined if no token is required. */
  readonly gate: TokenGate | undefined;
}

interface Refusal {
  readonly objection: WrongRequest;
  readonly reason: WrongReason;
  readonly headers?: ExtraHeaders;
}

/** Answers one request of OTLP/HTTP. */
export function answerExport(
  parts: ExportParts,
  request: Request,
  peer: Peer,
): Response | Promise<Response> {
  parts.pace.note();
  const preflight = parts.cors?.preflight(request);
  if (preflight !== undefined) return notingIfRefused(parts, preflight, { request, peer });
  const contentType = request.headers.get("content-type");
  const known = bodyFormat(contentType);
  if (known === undefined && isGrpcType(contentType)) return answerGrpc(parts, peer);
  const extra = parts.cors?.headersFor(request.headers.get("origin"));
  // An unknown type is answered with JSON, which a person can read.
  const format = known ?? "json";
  const refusal = parts.gate?.refusalOf(callerOf(request, peer));
  if (refusal !== undefined) {
    const headers = { "WWW-Authenticate": refusal.challenge, ...extra };
    const answer = { outcome: "unauthenticated", message: refusal.message } as const;
    return afterDrain(parts, request, answerResponse(answer, format, headers), refusal);
  }
  const head = readHead(parts, request, known);
  if ("objection" in head) {
    const problem = wrongRequestProblem(request, head.reason);
    parts.problems.note({ protocol: "http", address: peer.address, ...problem });
    const response = answerResponse(head.objection, format, { ...head.headers, ...extra });
    return afterDrain(parts, request, response);
  }
  const inFlight = parts.table.begin(peer);
  if ("outcome" in inFlight) return answerResponse(inFlight, format, extra);
  return answerBody(parts, { request, head, inFlight, extra });
}

function callerOf({ headers }: Request, { address }: Peer): Caller {
  const [authorization, apiKey] = [headers.get("authorization"), headers.get(API_KEY_HEADER)];
  return { authorization, apiKey, address, protocol: "http" };
}

/**
 * Records a refused preflight. The browser shows it in its console only, and the page sends
 * nothing.
 */
function notingIfRefused(
  { problems, cors }: ExportParts,
  preflight: Response,
  { request, peer }: { readonly request: Request; readonly peer: Peer },
): Response {
  if (cors?.allows(originOf(request)) === true) return preflight;
  problems.note({ protocol: "http", reason: "origin_not_allowed", address: peer.address });
  return preflight;
}

function answerGrpc({ problems }: ExportParts, { address }: Peer): Response {
  problems.note({ protocol: "http", reason: "grpc_on_http", address });
  return grpcRefusal(`this port speaks OTLP/HTTP: ${problems.hint("grpc_on_http")}`);
}

interface RequestInProgress {
  readonly request: Request;
  readonly head: RequestHead;
  readonly inFlight: RequestInFlight;
  readonly extra: ExtraHeaders | undefined;
}

async function answerBody(parts: ExportParts, reading: RequestInProgress): Promise<Response> {
  const { request, head, extra } = reading;
  using inFlight = reading.inFlight;
  const body = await readBody(request, inFlight, parts);
  inFlight.arrivedBytes = Infinity;
  const isRead = body.outcome === "read";
  const received = isRead
    ? receiveBody(parts, body.bytes, { head, inFlight, request })
    : countFailure(parts, body, head);
  const answer = received instanceof Promise ? await received : received;
  if (isRead) body.release();
  const signal = head.signal === "traces" ? undefined : head.signal;
  noteAnswer(parts.problems, answer, { protocol: "http", peer: inFlight.peer, signal });
  if (body === SMALL_CHUNKS) return brokenOff(parts);
  // Bun leaves the header out of HTTP/2, whose other requests are not at fault.
  const headers = isGivenUp(inFlight) ? { ...extra, Connection: "close" } : extra;
  const response = answerResponse(answer, head.format, headers);
  // Not awaited here, because the request is no longer in flight while its body is drained.
  return body.outcome === "too_large" ? afterDrain(parts, request, response) : response;
}

/** What Bun has read of a body in small chunks, and keeps until its request is collected. */
const BROKEN_OFF_BYTES = 256 * 1024;

/** Returns a response that makes Bun close the connection at once. */
function brokenOff({ pace }: Pick<ExportParts, "pace">): Response {
  pace.noteGarbage(BROKEN_OFF_BYTES);
  return new Response(new ReadableStream({ start: (controller) => controller.error() }));
}

/** Returns the response after the rest of the body, and after the delay of a token refusal. */
async function afterDrain(
  parts: ExportParts,
  request: Request,
  response: Response,
  refusal?: TokenRefusal,
): Promise<Response> {
  const { drain, gate } = parts;
  const [fault] = await Promise.all([drain.drain(request), refusal && gate?.pause(refusal)]);
  return fault === SMALL_CHUNKS ? brokenOff(parts) : response;
}

function readHead(
  parts: ExportParts,
  request: Request,
  format: BodyFormat | undefined,
): RequestHead | Refusal {
  const signal = signalAt(pathOf(request.url), parts);
  if (signal === undefined)
    return { objection: noSuchPath(parts, request), reason: "unknown_path" };
  if (request.method !== "POST") return WRONG_METHOD;
  if (format === undefined) return WRONG_TYPE;
  const coding = contentCoding(request.headers.get("content-encoding"));
  return coding === undefined ? WRONG_CODING : { signal, format, coding };
}

const PATHS: ReadonlyMap<string, Signal> = new Map<string, Signal>([
  ["/v1/traces", "traces"],
  ...UNSUPPORTED_SIGNALS.map((signal) => [`/v1/${signal}`, signal] as const),
]);

function signalAt(path: string, { unsupported }: ExportParts): Signal | undefined {
  const signal = PATHS.get(path);
  return unsupported === undefined && signal !== "traces" ? undefined : signal;
}

function noSuchPath(parts: ExportParts, { method, url }: Request): WrongRequest {
  // Exporters post elsewhere. This is a browser, or a reader, that has taken this port for ours.
  if (method !== "POST" || pathOf(url).startsWith("/api/")) {
    const message = `no such path at this port; ${parts.problems.hint("wrong_method")}`;
    return { outcome: "unknown_path", message };
  }
  const there = [...PATHS.keys()].filter((path) => signalAt(path, parts) !== undefined);
  const message = `no such path; known paths: ${there.join(", ")}`;
  return { outcome: "unknown_path", message };
}

const WRONG_METHOD: Refusal = {
  objection: { outcome: "wrong_method", message: "this path supports only POST" },
  reason: "wrong_method",
  headers: { Allow: "POST" },
};

const TYPES_TAKEN = [MEDIA_TYPES.protobuf, MEDIA_TYPES.json];

const WRONG_TYPE: Refusal = {
  objection: {
    outcome: "unsupported_media",
    message: `Content-Type must be ${TYPES_TAKEN.join(" or ")}`,
  },
  reason: "unsupported_type",
  headers: { "Accept-Post": TYPES_TAKEN.join(", ") },
};

const WRONG_CODING: Refusal = {
  objection: {
    outcome: "unsupported_media",
    message: `Content-Encoding must be one of ${CODINGS_TAKEN}`,
  },
  reason: "unsupported_encoding",
  headers: { "Accept-Encoding": CODINGS_TAKEN },
};
