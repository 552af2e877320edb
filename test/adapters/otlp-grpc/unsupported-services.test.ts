import { expect, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import { UNSUPPORTED_PATHS } from "../../../src/adapters/otlp-grpc/export-services.ts";
import { opentelemetry } from "../../../src/adapters/otlp/generated/otlp.js";
import { UnsupportedSignals } from "../../../src/application/receiving/unsupported-signals.ts";
import { callUnary, GZIP } from "../../support/grpc/grpc-call.ts";
import { THREE_ITEMS } from "../../support/requests/signal-requests.ts";
import { callHttp2, openHttp2 } from "../../support/grpc/grpc-http2-call.ts";
import { grpcMessage } from "../../support/grpc/grpc-wire.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";

stopGrpcListenersAfterEach();

// The responses to metrics and logs differ from that to traces only in the names of fields.
const { ExportTraceServiceResponse } = opentelemetry.proto.collector.trace.v1;

const SIGNALS = ["metrics", "logs"] as const;

const VARIANTS = [
  { name: "plain", options: {} },
  { name: "gzip", options: GZIP },
] as const;

test.each(SIGNALS.flatMap((signal) => VARIANTS.map((variant) => ({ signal, ...variant }))))(
  "$signal are rejected with their count and a warning: $name",
  async ({ signal, options }) => {
    const unsupported = new UnsupportedSignals();
    const { client, receiver } = await runGrpcListener({ unsupported });

    const { encoded } = THREE_ITEMS[signal];
    const end = await callUnary(client(options), UNSUPPORTED_PATHS[signal], encoded);

    const { partialSuccess } = ExportTraceServiceResponse.decode(end.message ?? Buffer.alloc(0));
    expect(end.code).toBe(status.OK);
    expect(partialSuccess?.rejectedSpans.low).toBe(3);
    expect(partialSuccess?.errorMessage).toContain(`not ${signal}`);
    expect(unsupported.counts[signal].grpc).toBe(1);
    expect(receiver.requests).toEqual([]);
  },
);

test.each(SIGNALS)("unreadable %s are INVALID_ARGUMENT", async (signal) => {
  const unsupported = new UnsupportedSignals();
  const { client, receiver, problems } = await runGrpcListener({ unsupported });

  const end = await callUnary(client(), UNSUPPORTED_PATHS[signal], Buffer.alloc(10_000));

  expect(end.code).toBe(status.INVALID_ARGUMENT);
  expect(end.details).toBe(`the message is not an export request for ${signal}`);
  expect(unsupported.counts[signal].grpc).toBe(0);
  expect(receiver.turnedAwayAs).toEqual([]);
  expect(countsOf(problems)).toEqual({ [`unsupported_${signal}`]: 1 });
});

test.each(SIGNALS)(
  "%s with an unsupported encoding are answered with the supported ones",
  async (signal) => {
    const unsupported = new UnsupportedSignals();
    const { listener } = await runGrpcListener({ unsupported });
    const session = openHttp2(listener.port);

    const headers = { "grpc-encoding": "br" };
    const pieces = [grpcMessage(THREE_ITEMS[signal].encoded, 1)];
    const end = await callHttp2(session, { path: UNSUPPORTED_PATHS[signal], headers, pieces });
    session.destroy();

    expect(end.grpcStatus).toBe(status.UNIMPLEMENTED);
    expect(end.acceptEncoding).toBe("identity,gzip,deflate,zstd");
    expect(unsupported.counts[signal].grpc).toBe(0);
  },
);

test.each(SIGNALS)("%s have the same size limit as traces", async (signal) => {
  const unsupported = new UnsupportedSignals();
  const { client } = await runGrpcListener({ unsupported, maxMessageBytes: 1000 });

  const end = await callUnary(client(), UNSUPPORTED_PATHS[signal], Buffer.alloc(1001));

  expect(end.code).toBe(status.RESOURCE_EXHAUSTED);
  expect(unsupported.counts[signal].grpc).toBe(0);
});

test.each(SIGNALS)("%s are UNIMPLEMENTED if they are to be rejected", async (signal) => {
  const { client } = await runGrpcListener();

  const end = await callUnary(client(), UNSUPPORTED_PATHS[signal], Buffer.alloc(0));

  expect(end.code).toBe(status.UNIMPLEMENTED);
});
