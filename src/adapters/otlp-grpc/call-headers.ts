import type { IncomingHttpHeaders } from "node:http2";
import { isGrpcType } from "../otlp/grpc-refusal.ts";
import { takeEncoding } from "./message-encoding.ts";

const GRPC = "application/grpc";

/** For grpc-js to answer with 415. */
const OTHER_TYPE = "";

/**
 * Changes the headers of a call to what grpc-js may see of them, before it sees them:
 *
 * - no deadline: a client keeps its own, and we never wait. grpc-js would start a timer for each
 *   call, and one of 1 ms for a deadline of more than 2^31 ms.
 * - no encoding of messages: see `takeEncoding`.
 * - a content type that it tells right: 1.14.7 goes by its first letters, so it takes
 *   `application/grpc-web` for gRPC, and not `Application/GRPC`.
 */
export function adaptHeaders(headers: IncomingHttpHeaders): void {
  if (headers["grpc-timeout"] !== undefined) delete headers["grpc-timeout"];
  takeEncoding(headers);
  const type = headers["content-type"];
  if (type === GRPC || type === undefined) return;
  headers["content-type"] = isGrpcType(type) ? GRPC : OTHER_TYPE;
}
