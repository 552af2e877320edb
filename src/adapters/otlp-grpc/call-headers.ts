import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import type { CallFailure } from "./call-handlers.ts";
import type { IncomingMessage } from "./incoming-message.ts";
import { API_KEY_HEADER, type TokenGate, type TokenRefusal } from "../listening/token-gate.ts";
import { encodeStatus, isGrpcType } from "../otlp/export-response.ts";
import { HEALTH_SERVICE } from "./call-handlers.ts";
import { takeEncoding } from "./message-encoding.ts";
import type { ProblemReason } from "../../domain/problem-reason.ts";
import type { Problem } from "../../ports/logger.ts";
import { GRPC_CODE } from "../otlp/status-table.ts";
import { EXPORT_PATH, UNSUPPORTED_PATHS } from "./export-services.ts";

export const GRPC = "application/grpc";

/** A type that grpc-js answers with 415. */
const OTHER_TYPE = "";

/**
 * Adapts the headers of a call that grpc-js handles:
 *
 * - no deadline: clients keep their own, and we never wait. grpc-js would start a timer for each
 *   call, and one of 1 ms for many deadlines of more than 2^31 ms.
 * - no encoding of messages: see `takeEncoding`.
 * - a normalized content type: grpc-js 1.14.7 compares the first letters only, so it accepts
 *   `application/grpc-web` as gRPC and refuses `Application/GRPC`.
 *
 * Each is shown in `test/quirks/grpc-js.test.ts`.
 */
export function adaptHeaders(headers: IncomingHttpHeaders): void {
  if (headers["grpc-timeout"] !== undefined) delete headers["grpc-timeout"];
  takeEncoding(headers);
  const type = headers["content-type"];
  if (type === GRPC || type === undefined) return;
  headers["content-type"] = isGrpcType(type) ? GRPC : OTHER_TYPE;
}

/** The fields that decide how a call is answered, besides those whose names begin with a colon. */
const USED_FIELDS = new Set(["content-type", "grpc-encoding", "authorization", API_KEY_HEADER]);

/**
 * Removes the fields of a call that spanring answers itself without reading them, and returns their
 * number. Bun keeps the headers of a stream until it closes, and a peer may send 64 KiB of them on
 * each.
 */
export function dropUnusedFields(headers: IncomingHttpHeaders): number {
  const unused = Object.keys(headers).filter((name) => !isUsed(name));
  for (const name of unused) delete headers[name];
  return unused.length;
}

function isUsed(name: string): boolean {
  return name.startsWith(":") || USED_FIELDS.has(name);
}

/** Health probes cannot send tokens everywhere, and learn nothing of the spans. */
const OPEN_PATH = `/${HEALTH_SERVICE}/`;

/** Returns the refusal of a call without a valid token, except for health checks. */
export function tokenRefusal(
  gate: TokenGate,
  headers: IncomingHttpHeaders,
  address: string,
): TokenRefusal | undefined {
  if (headers[":path"]?.startsWith(OPEN_PATH) === true) return undefined;
  const [apiKey] = [headers[API_KEY_HEADER]].flat();
  return gate.refusalOf({
    authorization: headers.authorization,
    apiKey,
    address,
    protocol: "grpc",
  });
}

/** Returns the headers of a response that consists of headers only, with the status of the call. */
export function refusalHeaders({ message }: TokenRefusal): OutgoingHttpHeaders {
  const answer = { outcome: "unauthenticated", message } as const;
  return {
    ":status": 200,
    "content-type": GRPC,
    "grpc-status": GRPC_CODE.UNAUTHENTICATED,
    "grpc-message": encodeURI(message),
    "grpc-status-details-bin": Buffer.from(encodeStatus(answer)).toString("base64"),
  };
}

export type CallProblem = Pick<Problem, "reason" | "detail">;

const SIGNAL_REASONS: ReadonlyMap<string, ProblemReason> = new Map([
  [UNSUPPORTED_PATHS.metrics, "unsupported_metrics"],
  [UNSUPPORTED_PATHS.logs, "unsupported_logs"],
]);

/** The paths of OTLP/HTTP, sent over HTTP/2 to this port. */
const HTTP_PATH = /\/v1\/(traces|metrics|logs)$/;

/**
 * Returns the problem to record for a call that has no handler, or is not gRPC, for which grpc-js
 * has the answer.
 */
export function unhandledCall(
  headers: IncomingHttpHeaders,
  isKnown: (path: string) => boolean,
): CallProblem | undefined {
  const { ":path": path = "", "content-type": type = null } = headers;
  if (!isGrpcType(type)) {
    return { reason: HTTP_PATH.test(path) ? "http_on_grpc" : "unsupported_type", detail: path };
  }
  if (isKnown(path)) return undefined;
  return { reason: SIGNAL_REASONS.get(path) ?? "unknown_path", detail: path };
}

/** A call that does not have exactly one complete message, within the limit. */
export interface CallFault extends CallFailure {
  readonly outcome: "too_large" | "malformed";
}

/** Returns the problem to record for a fault; undefined for methods that take no signal. */
export function problemOf({ outcome, details }: CallFault, path: string): CallProblem | undefined {
  if (path === EXPORT_PATH) return { reason: outcome, detail: details };
  const reason = outcome === "too_large" ? SIGNAL_REASONS.get(path) : undefined;
  return reason === undefined ? undefined : { reason, detail: details };
}

/**
 * Returns the fault of a message that is still arriving, so that its peer need not send the rest.
 *
 * Source: grpc/grpc, doc/statuscodes.md: UNIMPLEMENTED for a wrong number of messages, INTERNAL for
 * a message that breaks the framing.
 */
export function faultSoFar(
  { isTooLong, isFollowed, prefix }: IncomingMessage,
  { maxMessageBytes }: { readonly maxMessageBytes: number },
): CallFault | undefined {
  if (isFollowed) return TWO_MESSAGES;
  if (!isTooLong) return undefined;
  // In the words that other receivers use, which forwarders recognise as a matter of size.
  const details = `received message larger than max (${prefix.lengthBytes} vs. ${maxMessageBytes})`;
  return { outcome: "too_large", code: GRPC_CODE.RESOURCE_EXHAUSTED, details };
}

/** Returns the fault of a call that has ended without a complete message. */
export function faultAtEnd(
  { isWhole }: IncomingMessage,
  receivedBytes: number,
): CallFault | undefined {
  if (isWhole) return undefined;
  return receivedBytes === 0 ? NO_MESSAGE : CUT_SHORT;
}

const CUT_SHORT: CallFault = {
  outcome: "malformed",
  code: GRPC_CODE.INTERNAL,
  details: "the call ended before the end of its message",
};

const NO_MESSAGE: CallFault = {
  outcome: "malformed",
  code: GRPC_CODE.UNIMPLEMENTED,
  details: "the call has no message; this method takes one",
};

const TWO_MESSAGES: CallFault = {
  outcome: "malformed",
  code: GRPC_CODE.UNIMPLEMENTED,
  details: "the call has more than one message; this method takes one",
};
