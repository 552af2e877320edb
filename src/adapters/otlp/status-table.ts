import type { Receipt } from "../../domain/receipt.ts";
import type { UnsupportedReceipt } from "../../application/receiving/unsupported-signals.ts";

/** The gRPC codes of our answers. Source: grpc/grpc, doc/statuscodes.md. */
export const GRPC_CODE = {
  OK: 0,
  INVALID_ARGUMENT: 3,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcCode = (typeof GRPC_CODE)[keyof typeof GRPC_CODE];

/** A refusal by a listener, before a receiver sees the request. */
export type Objection =
  | { readonly outcome: "unknown_path"; readonly message: string }
  | { readonly outcome: "wrong_method"; readonly message: string }
  /** The request is intended for another port. */
  | { readonly outcome: "misdirected"; readonly message: string }
  /** The type or encoding of the body is unsupported. */
  | { readonly outcome: "unsupported_media"; readonly message: string }
  /** The request has no valid token; its body was not read. */
  | { readonly outcome: "unauthenticated"; readonly message: string }
  /** Too much is in flight, or the request took too long; nothing was stored. */
  | { readonly outcome: "busy"; readonly message: string; readonly retryAfterMs: number };

/** A refusal of a gRPC message before it is read. */
export type FrameObjection =
  /** The framing around the message is broken. */
  | { readonly outcome: "malformed_frame"; readonly message: string }
  | { readonly outcome: "unsupported_encoding"; readonly message: string };

export type Outcome = (Receipt | Objection | FrameObjection | UnsupportedReceipt)["outcome"];

export interface OutcomeStatus {
  readonly grpcCode: GrpcCode;
  readonly httpStatus: number;
}

/**
 * The status of every outcome of a request: the only such table.
 *
 * Exporters retry after UNAVAILABLE and 503, and after nothing else here. RESOURCE_EXHAUSTED
 * without RetryInfo is final for them, as it should be for a request that will never fit. An
 * internal error is never INTERNAL or UNKNOWN, because exporters would drop the spans. gRPC
 * requires INTERNAL when the peer breaks the framing.
 */
export const STATUS_TABLE: Readonly<Record<Outcome, OutcomeStatus>> = {
  accepted: { grpcCode: GRPC_CODE.OK, httpStatus: 200 },
  partly_rejected: { grpcCode: GRPC_CODE.OK, httpStatus: 200 },
  unsupported: { grpcCode: GRPC_CODE.OK, httpStatus: 200 },
  malformed: { grpcCode: GRPC_CODE.INVALID_ARGUMENT, httpStatus: 400 },
  malformed_frame: { grpcCode: GRPC_CODE.INTERNAL, httpStatus: 400 },
  too_large: { grpcCode: GRPC_CODE.RESOURCE_EXHAUSTED, httpStatus: 413 },
  refused: { grpcCode: GRPC_CODE.UNAVAILABLE, httpStatus: 503 },
  stopping: { grpcCode: GRPC_CODE.UNAVAILABLE, httpStatus: 503 },
  failed: { grpcCode: GRPC_CODE.UNAVAILABLE, httpStatus: 503 },
  busy: { grpcCode: GRPC_CODE.UNAVAILABLE, httpStatus: 503 },
  unauthenticated: { grpcCode: GRPC_CODE.UNAUTHENTICATED, httpStatus: 401 },
  unknown_path: { grpcCode: GRPC_CODE.UNIMPLEMENTED, httpStatus: 404 },
  misdirected: { grpcCode: GRPC_CODE.UNIMPLEMENTED, httpStatus: 421 },
  wrong_method: { grpcCode: GRPC_CODE.UNIMPLEMENTED, httpStatus: 405 },
  unsupported_media: { grpcCode: GRPC_CODE.INVALID_ARGUMENT, httpStatus: 415 },
  unsupported_encoding: { grpcCode: GRPC_CODE.UNIMPLEMENTED, httpStatus: 415 },
};
