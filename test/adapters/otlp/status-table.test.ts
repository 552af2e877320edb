import { expect, test } from "bun:test";
import { GRPC_CODE, STATUS_TABLE } from "../../../src/adapters/otlp/status-table.ts";
import type { Receipt } from "../../../src/application/receipt.ts";

const { OK, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE } = GRPC_CODE;

test.each<[Receipt["outcome"], number, number]>([
  ["accepted", OK, 200],
  ["partly_rejected", OK, 200],
  ["malformed", INVALID_ARGUMENT, 400],
  ["too_large", RESOURCE_EXHAUSTED, 413],
  ["refused", UNAVAILABLE, 503],
  ["stopping", UNAVAILABLE, 503],
  ["failed", UNAVAILABLE, 503],
])("%s is answered with gRPC %d and HTTP %d", (outcome, grpcCode, httpStatus) => {
  expect(STATUS_TABLE[outcome]).toMatchObject({ grpcCode, httpStatus });
});

test("the codes are gRPC's", () => {
  expect(GRPC_CODE).toEqual({
    OK: 0,
    INVALID_ARGUMENT: 3,
    RESOURCE_EXHAUSTED: 8,
    UNAVAILABLE: 14,
  });
});

test("every outcome has a row", () => {
  expect(Object.keys(STATUS_TABLE)).toHaveLength(7);
});
