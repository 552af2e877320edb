import {
  UNSUPPORTED_SIGNALS,
  type UnsupportedSignal,
} from "../../application/receiving/unsupported-signals.ts";
import type { UnsupportedSignals } from "../../application/receiving/unsupported-signals.ts";
import type { Receipt } from "../../domain/receipt.ts";
import type { TraceReceiver } from "../../ports/trace-receiver.ts";
import type { ProblemLog } from "../../ports/problem-log.ts";
import type { CollectionPace } from "../memory/collection-pace.ts";
import { releaseOwnBuffer } from "../../application/ring/release-bytes.ts";
import { type Answer, grpcRefusal, isGrpcType } from "../otlp/export-response.ts";
import { discardItems } from "../otlp/discard-items.ts";
import { inflate, type NotInflated } from "../otlp/inflate.ts";
import { requestFromJson } from "../otlp/json/json-request.ts";
import { noteAnswer, receiveSafely, type SafelyParts, turnAway } from "../otlp/receive-request.ts";
import { answerResponse, type ExtraHeaders } from "./answer-response.ts";
import type { BodyDrain } from "./body-drain.ts";
import {
  type BodyFormat,
  bodyFormat,
  CODINGS_TAKEN,
  type ContentCoding,
  contentCoding,
  MEDIA_TYPES,
  type BodyParts,
  type BodyReading,
  readBody,
} from "./request-body.ts";
import { type Cors, originOf } from "./cors.ts";
import type { Peer, RequestInFlight, RequestTable } from "./request-table.ts";
import {
  pathOf,
  type WrongReason,
  type WrongRequest,
  wrongRequestProblem,
} from "./wrong-requests.ts";

export interface ExportParts extends Pick<SafelyParts, "failed">, BodyParts {
  readonly receivers: Readonly<Record<BodyFormat, TraceReceiver>>;
  readonly table: RequestTable;
  readonly pace: CollectionPace;
  /** Without it, there is nothing at the paths of metrics and logs. */
  readonly unsupported: UnsupportedSignals | undefined;
  /** Without it, answers say nothing of other origins. */
  readonly cors: Cors | undefined;
  readonly nestingDepth: number;
  readonly problems: ProblemLog;
  readonly drain: BodyDrain;
}

type Signal = "traces" | UnsupportedSignal;

/** A request as its headers describe it. */
interface Headed {
  readonly signal: Signal;
  readonly format: BodyFormat;
  readonly coding: ContentCoding;
}

interface Refusal {
  readonly objection: WrongRequest;
  readonly reason: WrongReason;
  readonly headers?: ExtraHeaders;
}

/** Every answer of OTLP/HTTP. */
export function answerExport(
  parts: ExportParts,
  request: Request,
  peer: Peer,
): Response | Promise<Response> {
  parts.pace.note();
  const { address } = peer;
  const preflight = parts.cors?.preflight(request);
  if (preflight !== undefined) return notingIfRefused(parts, preflight, { request, address });
  const contentType = request.headers.get("content-type");
  const known = bodyFormat(contentType);
  if (known === undefined && isGrpcType(contentType)) return answerGrpc(parts, address);
  const extra = parts.cors?.headersFor(request.headers.get("origin"));
  // Of an unknown type JSON is the better guess: a person can read it.
  const format = known ?? "json";
  const headed = readHead(parts, request);
  if ("objection" in headed) {
    const problem = wrongRequestProblem(request, headed.reason);
    parts.problems.note({ protocol: "http", address, ...problem });
    const response = answerResponse(headed.objection, format, { ...headed.headers, ...extra });
    return afterDrain(parts, request, response);
  }
  const inFlight = parts.table.begin(peer);
  if ("outcome" in inFlight) return answerResponse(inFlight, format, extra);
  return answerBody(parts, { request, headed, inFlight, extra, address });
}

/** A browser shows the refusal to whoever looks at its console, and the page sends nothing. */
function notingIfRefused(
  { problems, cors }: ExportParts,
  preflight: Response,
  { request, address }: { readonly request: Request; readonly address: string },
): Response {
  if (cors?.allows(originOf(request)) === true) return preflight;
  problems.note({ protocol: "http", reason: "origin_not_allowed", address });
  return preflight;
}

function answerGrpc({ problems }: ExportParts, address: string): Response {
  problems.note({ protocol: "http", reason: "grpc_on_http", address });
  return grpcRefusal(`this port speaks OTLP/HTTP: ${problems.hint("grpc_on_http")}`);
}

interface Begun {
  readonly request: Request;
  readonly headed: Headed;
  readonly inFlight: RequestInFlight;
  readonly extra: ExtraHeaders | undefined;
  readonly address: string;
}

async function answerBody(parts: ExportParts, begun: Begun): Promise<Response> {
  const { request, headed, inFlight, extra, address } = begun;
  try {
    const body = await readBody(request, inFlight, parts);
    // All in one tick: what is made on the way, one request at a time has.
    const isRead = body.outcome === "read";
    const answer = isRead ? receive(parts, body.bytes, headed) : unread(parts, body, headed);
    if (isRead) body.release();
    const signal = headed.signal === "traces" ? undefined : headed.signal;
    noteAnswer(parts.problems, answer, { protocol: "http", address, signal });
    const response = answerResponse(answer, headed.format, extra);
    // Not awaited here: what is in flight ends before.
    return body.outcome === "too_large" ? afterDrain(parts, request, response) : response;
  } finally {
    parts.table.end(inFlight);
  }
}

async function afterDrain(
  { drain }: ExportParts,
  request: Request,
  response: Response,
): Promise<Response> {
  await drain.drain(request);
  return response;
}

function readHead(parts: ExportParts, request: Request): Headed | Refusal {
  const signal = signalAt(pathOf(request.url), parts);
  if (signal === undefined) return { objection: noSuchPath(parts), reason: "unknown_path" };
  if (request.method !== "POST") return WRONG_METHOD;
  const format = bodyFormat(request.headers.get("content-type"));
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

function noSuchPath(parts: ExportParts): WrongRequest {
  const there = [...PATHS.keys()].filter((path) => signalAt(path, parts) !== undefined);
  const message = `no such path; known paths: ${there.join(", ")}`;
  return { outcome: "unknown_path", message };
}

const WRONG_METHOD: Refusal = {
  objection: { outcome: "wrong_method", message: "this path takes POST" },
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

type Unread = Exclude<BodyReading, { outcome: "read" }> | NotInflated;

/** Whoever was given up is counted by the limit that was the reason. */
function unread(parts: ExportParts, body: Unread, { signal, format }: Headed): Unread {
  const isOurs = body.outcome !== "malformed" && body.outcome !== "too_large";
  if (signal !== "traces" || isOurs) return body;
  return turnAway(body, { receiver: parts.receivers[format] });
}

/** They matter where no span was found for them, or where what they held is missing in spans. */
function withUnknownKeys(answer: Receipt, unknown: string): Receipt {
  if (answer.outcome === "accepted") return answer.isEmpty ? { ...answer, unknown } : answer;
  if (answer.outcome !== "partly_rejected") return answer;
  return { ...answer, message: `${answer.message} There are ${unknown}.` };
}

function receive(parts: ExportParts, body: Uint8Array, headed: Headed): Answer {
  if (headed.coding === "identity") return receivePlain(parts, body, headed);
  const plain = inflate(body, headed.coding, parts.maxBytes);
  parts.pace.noteGarbage(plain.garbageBytes);
  if (plain.outcome !== "plain") return unread(parts, plain, headed);
  const answer = receivePlain(parts, plain.bytes, headed);
  releaseOwnBuffer(plain.bytes);
  return answer;
}

function receivePlain(parts: ExportParts, body: Uint8Array, { signal, format }: Headed): Answer {
  if (signal === "traces") return receiveTraces(parts, body, format);
  const { unsupported, nestingDepth } = parts;
  const request = { signal, format, protocol: "http" } as const;
  return discardItems(body, request, { unsupported: unsupported!, nestingDepth });
}

function receiveTraces(parts: ExportParts, body: Uint8Array, format: BodyFormat): Answer {
  const safely = { receiver: parts.receivers[format], failed: parts.failed };
  if (format === "protobuf") return receiveSafely(body, safely);
  const json = requestFromJson(body, { nestingDepth: parts.nestingDepth });
  if (!json.ok) {
    const message = `not OTLP/JSON: ${json.message}`;
    const problem = "not_otlp_json";
    return turnAway({ outcome: "malformed", problem, message } as const, safely);
  }
  const answer = receiveSafely(json.request, safely);
  releaseOwnBuffer(json.request);
  return json.unknown === "" ? answer : withUnknownKeys(answer, json.unknown);
}
