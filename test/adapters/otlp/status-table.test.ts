import { expect, test } from "bun:test";
import { GRPC_CODE, type Outcome, STATUS_TABLE } from "../../../src/adapters/otlp/status-table.ts";

const { OK, INVALID_ARGUMENT, INTERNAL, RESOURCE_EXHAUSTED, UNAVAILABLE, UNIMPLEMENTED } =
  GRPC_CODE;
const { UNAUTHENTICATED } = GRPC_CODE;

test.each<[Outcome, number, number]>([
  ["accepted", OK, 200],
  ["partly_rejected", OK, 200],
  ["unsupported", OK, 200],
  ["malformed", INVALID_ARGUMENT, 400],
  ["malformed_frame", INTERNAL, 400],
  ["too_large", RESOURCE_EXHAUSTED, 413],
  ["refused", UNAVAILABLE, 503],
  ["stopping", UNAVAILABLE, 503],
  ["failed", UNAVAILABLE, 503],
  ["busy", UNAVAILABLE, 503],
  ["unauthenticated", UNAUTHENTICATED, 401],
  ["unknown_path", UNIMPLEMENTED, 404],
  ["wrong_method", UNIMPLEMENTED, 405],
  ["misdirected", UNIMPLEMENTED, 421],
  ["unsupported_media", INVALID_ARGUMENT, 415],
  ["unsupported_encoding", UNIMPLEMENTED, 415],
])("%s is answered with gRPC %d and HTTP %d", (outcome, grpcCode, httpStatus) => {
  expect(STATUS_TABLE[outcome]).toMatchObject({ grpcCode, httpStatus });
});

test("the codes equal those of gRPC", () => {
  expect(GRPC_CODE).toEqual({
    OK: 0,
    INVALID_ARGUMENT: 3,
    RESOURCE_EXHAUSTED: 8,
    UNIMPLEMENTED: 12,
    INTERNAL: 13,
    UNAVAILABLE: 14,
    UNAUTHENTICATED: 16,
  });
});

test("every outcome has a row", () => {
  expect(Object.keys(STATUS_TABLE)).toHaveLength(16);
});
