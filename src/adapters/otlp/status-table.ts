import type { Receipt } from "../../application/receipt.ts";

/** The gRPC codes we answer with. Source: grpc/grpc, doc/statuscodes.md. */
export const GRPC_CODE = {
  OK: 0,
  INVALID_ARGUMENT: 3,
  RESOURCE_EXHAUSTED: 8,
  UNAVAILABLE: 14,
} as const;

export type GrpcCode = (typeof GRPC_CODE)[keyof typeof GRPC_CODE];

export interface OutcomeStatus {
  readonly grpcCode: GrpcCode;
  readonly httpStatus: number;
}

/**
 * What the sender is told, for every outcome of a request: the only such table.
 *
 * Exporters send again after UNAVAILABLE and 503, and after nothing else here. RESOURCE_EXHAUSTED
 * without RetryInfo is final for them, as it should be for a request that will never fit. A fault
 * of ours is never INTERNAL or UNKNOWN: exporters would drop the spans.
 */
export const STATUS_TABLE: Readonly<Record<Receipt["outcome"], OutcomeStatus>> = {
  accepted: { grpcCode: GRPC_CODE.OK, httpStatus: 200 },
  partly_rejected: { grpcCode: GRPC_CODE.OK, httpStatus: 200 },
  malformed: { grpcCode: GRPC_CODE.INVALID_ARGUMENT, httpStatus: 400 },
  too_large: { grpcCode: GRPC_CODE.RESOURCE_EXHAUSTED, httpStatus: 413 },
  refused: { grpcCode: GRPC_CODE.UNAVAILABLE, httpStatus: 503 },
  stopping: { grpcCode: GRPC_CODE.UNAVAILABLE, httpStatus: 503 },
  failed: { grpcCode: GRPC_CODE.UNAVAILABLE, httpStatus: 503 },
};
