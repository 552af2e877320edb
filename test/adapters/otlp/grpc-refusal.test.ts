import { expect, test } from "bun:test";
import { grpcRefusal, isGrpcType } from "../../../src/adapters/otlp/grpc-refusal.ts";

test.each([
  "application/grpc",
  "application/grpc+proto",
  "Application/GRPC",
  "application/grpc; charset=utf-8",
])("%p is gRPC", (type) => {
  expect(isGrpcType(type)).toBe(true);
});

test.each([null, "", "application/grpc-web", "application/grpcfoo", "text/application/grpc"])(
  "%p is not",
  (type) => {
    expect(isGrpcType(type)).toBe(false);
  },
);

test("a refusal is a status of gRPC in its headers, and nothing else", async () => {
  const response = grpcRefusal("at port 4317; 100 % sure");

  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toEqual({
    "content-type": "application/grpc",
    "grpc-status": "12",
    "grpc-message": "at%20port%204317;%20100%20%25%20sure",
  });
  expect(response.body).toBeNull();
});
