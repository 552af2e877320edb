import { expect, test } from "bun:test";
import { CountedReceiver } from "../../../src/application/receiving/counted-receiver.ts";
import { countExporters } from "../../../src/application/receiving/exporter-counts.ts";
import type { ProblemTotal } from "../../../src/application/receiving/problem-registry.ts";
import type { Receipt } from "../../../src/domain/receipt.ts";

const REFUSED: Receipt = { outcome: "malformed", message: "no" };

/** Returns a receiver that has received this number of requests, and turned away one more. */
function receiverOf(requests: number): CountedReceiver {
  const clock = { monotonicMs: () => 0 };
  const receiver = { receive: () => REFUSED };
  const counted = new CountedReceiver({ receiver, clock, evicted: () => {} });
  for (let number = 0; number < requests; number += 1) counted.receive(new Uint8Array());
  counted.turnedAway("too_large");
  return counted;
}

function total(protocol: "grpc" | "http", reason: ProblemTotal["reason"], count: number) {
  return { protocol, reason, count, detail: "", hint: "" };
}

test("requests of all outcomes are counted by protocol and signal", () => {
  const receivers = {
    grpc: receiverOf(1),
    "http/protobuf": receiverOf(2),
    "http/json": receiverOf(3),
  };
  const problems = [
    total("grpc", "unsupported_metrics", 4),
    total("grpc", "malformed", 5),
    total("http", "unsupported_metrics", 6),
    total("http", "unsupported_logs", 7),
  ];

  expect(countExporters({ receivers, problems, grpcConnections: 8 })).toEqual({
    grpc: { connections: 8, requests: { traces: 2, metrics: 4, logs: 0 } },
    http: { requests: { traces: 7, metrics: 6, logs: 7 } },
  });
});
