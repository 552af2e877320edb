import { expect, test } from "bun:test";
import { hintFor, problemText, swappedHint } from "../../src/domain/problem-text.ts";

const PORTS = { grpc: 4317, http: 4318, api: 4319 };

test("a problem is a sentence with its count", () => {
  expect(problemText("tls", 1)).toStartWith("1 connection was opened with TLS");
  expect(problemText("too_large", 1_234)).toBe("1,234 requests were larger than a limit");
});

test("a hint names the ports in use", () => {
  expect(hintFor("http_on_grpc", PORTS)).toStartWith("OTLP/HTTP is at port 4318;");
  expect(hintFor("otlp_on_api", { ...PORTS, grpc: 55_001 })).toBe(
    "OTLP/gRPC is at port 55001, OTLP/HTTP at port 4318",
  );
});

test("a hint says when a port is off", () => {
  const hint = hintFor("grpc_on_http", { ...PORTS, grpc: "off" });

  expect(hint).toStartWith("OTLP/gRPC is at no port, because it is off;");
});

test("the hint for swapped ports names both", () => {
  expect(swappedHint(PORTS)).toBe(
    "4317 and 4318 are swapped: OTLP/gRPC goes to 4317, OTLP/HTTP to 4318",
  );
});
