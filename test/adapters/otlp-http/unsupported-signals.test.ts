import { describe, expect, test } from "bun:test";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { google, opentelemetry } from "../../../src/adapters/otlp/generated/otlp.js";
import { UnsupportedSignals } from "../../../src/application/receiving/unsupported-signals.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import { runOtlpHttp, stopOtlpHttpAfterEach } from "../../support/running/running-otlp-http.ts";
import { THREE_ITEMS } from "../../support/requests/signal-requests.ts";

// The responses to metrics and logs differ from that to traces only in the names of fields.
const { ExportTraceServiceResponse } = opentelemetry.proto.collector.trace.v1;

stopOtlpHttpAfterEach();

const JSON_TYPE = { "Content-Type": "application/json" };

describe.each(["metrics", "logs"] as const)("%s", (signal) => {
  const path = `/v1/${signal}`;

  const { encoded, json, jsonName } = THREE_ITEMS[signal];

  test.each([
    { name: "without an encoding", coding: "identity", encode: (plain: Uint8Array) => plain },
    { name: "with gzip", coding: "gzip", encode: gzipSync },
    { name: "with deflate", coding: "deflate", encode: deflateSync },
    { name: "with zstd", coding: "zstd", encode: zstdCompressSync },
  ])("are rejected with their count and a warning: $name", async ({ coding, encode }) => {
    const unsupported = new UnsupportedSignals();
    const { send, receiver } = runOtlpHttp({ unsupported });
    const headers = { "Content-Encoding": coding };

    const inProtobuf = await send(new Uint8Array(encode(encoded)), { path, headers });
    const jsonBody = new Uint8Array(encode(Buffer.from(json)));
    const inJson = await send(jsonBody, { path, headers: { ...JSON_TYPE, ...headers } });

    const { partialSuccess } = ExportTraceServiceResponse.decode(await inProtobuf.bytes());
    expect([inProtobuf.status, inJson.status]).toEqual([200, 200]);
    expect(partialSuccess?.rejectedSpans.low).toBe(3);
    expect(partialSuccess?.errorMessage).toContain(`not ${signal}`);
    expect(await inJson.json()).toEqual({
      partialSuccess: { [jsonName]: "3", errorMessage: partialSuccess!.errorMessage },
    });
    expect(unsupported.counts[signal]).toEqual({ grpc: 0, http: 2 });
    expect(receiver.requests).toEqual([]);
  });

  test.each([
    { name: "invalid protobuf", body: encoded.subarray(1), headers: {} },
    { name: "invalid JSON", body: Buffer.from(json.slice(1)), headers: JSON_TYPE },
    { name: "invalid gzip", body: encoded, headers: { "Content-Encoding": "gzip" } },
  ])(
    "that are $name are answered with 400, and not counted as traces",
    async ({ body, headers }) => {
      const unsupported = new UnsupportedSignals();
      const { send, receiver, problems } = runOtlpHttp({ unsupported });

      const response = await send(new Uint8Array(body), { path, headers });

      expect(response.status).toBe(400);
      expect(unsupported.counts[signal].http).toBe(0);
      expect(receiver.turnedAwayAs).toEqual([]);
      expect(countsOf(problems)).toEqual({ [`unsupported_${signal}`]: 1 });
    },
  );

  test("have the same limits as traces", async () => {
    const unsupported = new UnsupportedSignals();
    const { send } = runOtlpHttp({ unsupported, maxBodyBytes: 1000 });

    const tooLarge = await send(new Uint8Array(1001), { path });
    const wrongType = await send("", { path, headers: { "Content-Type": "text/plain" } });

    expect([tooLarge.status, wrongType.status]).toEqual([413, 415]);
    expect(unsupported.counts[signal].http).toBe(0);
  });

  test("are answered with 404 if they are to be rejected", async () => {
    const { send } = runOtlpHttp();

    const response = await send(new Uint8Array(encoded), { path });

    const { message } = google.rpc.Status.decode(await response.bytes());
    expect(response.status).toBe(404);
    expect(message).toBe("no such path; known paths: /v1/traces");
  });
});
