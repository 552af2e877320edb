import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { API_KEY_HEADER, type TokenGate, type TokenRefusal } from "../listening/token-gate.ts";
import { encodeStatus, isGrpcType } from "../otlp/export-response.ts";
import { HEALTH_SERVICE } from "./call-handlers.ts";
import { takeEncoding, type MessagePrefix, PREFIX_BYTES } from "./message-encoding.ts";
import type { ProblemReason } from "../../domain/problem-reason.ts";
import type { Problem } from "../../ports/logger.ts";
import { GRPC_CODE } from "../otlp/status-table.ts";
import { EXPORT_PATH, UNSUPPORTED_PATHS } from "./export-services.ts";

const GRPC = "application/grpc";

/** A type that grpc-js answers with 415. */
const OTHER_TYPE = "";

/**
 * Adapts the headers of a call before grpc-js reads them:
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

/** Makes grpc-js answer a call with 415 at once, before any handler and any byte of its message. */
export function refuseByType(headers: IncomingHttpHeaders): void {
  headers["content-type"] = OTHER_TYPE;
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

type CallProblem = Pick<Problem, "reason" | "detail">;

const SIGNAL_REASONS: ReadonlyMap<string, ProblemReason> = new Map([
  [UNSUPPORTED_PATHS.metrics, "unsupported_metrics"],
  [UNSUPPORTED_PATHS.logs, "unsupported_logs"],
]);

/** The message of grpc-js 1.14.7 for a method without a handler. */
const UNIMPLEMENTED_TEXT = "The server does not implement the method";

/** The paths of OTLP/HTTP, sent over HTTP/2 to this port. */
const HTTP_PATH = /\/v1\/(traces|metrics|logs)$/;

/** Returns the problem to record for a call that grpc-js refuses before any handler sees it. */
export function refusedCall(headers: OutgoingHttpHeaders, path: string): CallProblem | undefined {
  if (headers[":status"] === 415) {
    return { reason: HTTP_PATH.test(path) ? "http_on_grpc" : "unsupported_type", detail: path };
  }
  if (headers["grpc-status"] !== GRPC_CODE.UNIMPLEMENTED) return undefined;
  if (!String(headers["grpc-message"]).startsWith(UNIMPLEMENTED_TEXT)) return undefined;
  return { reason: SIGNAL_REASONS.get(path) ?? "unknown_path", detail: path };
}

/**
 * Returns the problem to record for a message that is too long; undefined for methods that take no
 * signal.
 */
export function tooLargeCall(
  path: string,
  { lengthBytes, maxBytes }: { readonly lengthBytes: number; readonly maxBytes: number },
): CallProblem | undefined {
  const reason = path === EXPORT_PATH ? "too_large" : SIGNAL_REASONS.get(path);
  const detail = `the message has ${lengthBytes} bytes; the limit is ${maxBytes}`;
  return reason === undefined ? undefined : { reason, detail };
}

/** The bytes of a call that have arrived: its only message, and any bytes after it. */
interface ReceivedMessage {
  readonly prefix: MessagePrefix;
  readonly receivedBytes: number;
}

/**
 * The message of grpc-js 1.14.7 for a call without exactly one complete message, percent-encoded as
 * in a trailer.
 */
const LIBRARY_TEXT = /^Received%20(no|a%20second)%20request%20message%20for%20server%20stream/;

/**
 * Reports whether grpc-js ends a call with these headers because it does not have exactly one
 * message.
 */
export function isCardinalityFault(headers: OutgoingHttpHeaders): boolean {
  if (headers["grpc-status"] !== GRPC_CODE.UNIMPLEMENTED) return false;
  return LIBRARY_TEXT.test(String(headers["grpc-message"]));
}

interface CardinalityFault {
  readonly code: number;
  readonly message: string;
}

/**
 * Returns the correct status: grpc-js treats a message that was cut short as missing, and calls
 * every method a streaming one (`test/quirks/grpc-js.test.ts`).
 *
 * Source: grpc/grpc, doc/statuscodes.md: UNIMPLEMENTED for a wrong number of messages, INTERNAL for
 * a message that breaks the framing.
 */
export function cardinalityFault({ prefix, receivedBytes }: ReceivedMessage): CardinalityFault {
  const wholeBytes = PREFIX_BYTES + prefix.lengthBytes;
  const isWhole = prefix.seenBytes === PREFIX_BYTES && receivedBytes >= wholeBytes;
  if (receivedBytes === 0) return NO_MESSAGE;
  return isWhole ? TWO_MESSAGES : CUT_SHORT;
}

const CUT_SHORT: CardinalityFault = {
  code: GRPC_CODE.INTERNAL,
  message: "the call ended before the end of its message",
};

const NO_MESSAGE: CardinalityFault = {
  code: GRPC_CODE.UNIMPLEMENTED,
  message: "the call has no message; this method takes one",
};

const TWO_MESSAGES: CardinalityFault = {
  code: GRPC_CODE.UNIMPLEMENTED,
  message: "the call has more than one message; this method takes one",
};
