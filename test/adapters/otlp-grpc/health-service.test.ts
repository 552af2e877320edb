import { describe, expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import type { Client, ServerWritableStream } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import { grpc } from "../../../src/adapters/otlp-grpc/generated/services.js";
import { HealthService } from "../../../src/adapters/otlp-grpc/health-service.ts";
import { callUnary, GZIP, heardByServer } from "../../support/grpc/grpc-call.ts";
import { openServerStream } from "../../support/grpc/grpc-conversation.ts";
import { countEntries } from "../../support/oracles/entry-count.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";

const { HealthCheckRequest, HealthCheckResponse, HealthListResponse } = grpc.health.v1;
const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse.ServingStatus;
const TRACE_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService";

stopGrpcListenersAfterEach();

function requestFor(service: string): Uint8Array {
  return HealthCheckRequest.encode({ service }).finish();
}

function statusIn(message: Uint8Array | undefined): number {
  return HealthCheckResponse.decode(message ?? new Uint8Array()).status;
}

function check(client: Client, message: Uint8Array) {
  return callUnary(client, "/grpc.health.v1.Health/Check", message);
}

function watch(client: Client, service: string) {
  return openServerStream(client, "/grpc.health.v1.Health/Watch", requestFor(service));
}

/** Returns a call that records its messages and its final failure. */
function fakeWatcher() {
  const received: unknown[] = [];
  const emitter = new EventEmitter().on("error", (failure) => received.push(failure));
  const call = Object.assign(emitter, { write: (message: Buffer) => received.push(message) });
  return { received, call: call as unknown as ServerWritableStream<Buffer, Buffer> };
}

describe("Check", () => {
  test.each([
    { service: "", isServing: true, expected: SERVING },
    { service: TRACE_SERVICE, isServing: true, expected: SERVING },
    { service: "", isServing: false, expected: NOT_SERVING },
    { service: TRACE_SERVICE, isServing: false, expected: NOT_SERVING },
  ])(
    "of %p while serving is $isServing returns $expected",
    async ({ service, isServing, expected }) => {
      const { client, listener } = await runGrpcListener();
      listener.setServing(isServing);

      const end = await check(client(), requestFor(service));

      expect(end.code).toBe(status.OK);
      expect(statusIn(end.message)).toBe(expected);
    },
  );

  test("returns NOT_SERVING until serving is set", async () => {
    const { client } = await runGrpcListener();

    const end = await check(client(), requestFor(""));

    expect(statusIn(end.message)).toBe(NOT_SERVING);
  });

  test.each([
    { name: "an unknown service", message: requestFor("x.Y"), code: status.NOT_FOUND },
    { name: "an invalid request", message: Buffer.of(0x0a, 0x7f), code: status.INVALID_ARGUMENT },
    {
      name: "an overlong name",
      message: requestFor("x".repeat(5000)),
      code: status.INVALID_ARGUMENT,
    },
  ])("of $name fails with code $code", async ({ message, code }) => {
    const { client } = await runGrpcListener();

    const end = await check(client(), message);

    expect(end.code).toBe(code);
  });

  test("accepts gzip, but not a name that decompresses beyond the limit", async () => {
    const { client, listener } = await runGrpcListener();
    listener.setServing(true);
    const sender = client(GZIP);

    const small = await check(sender, requestFor(TRACE_SERVICE));
    const endless = await check(sender, requestFor("x".repeat(1_000_000)));

    expect(statusIn(small.message)).toBe(SERVING);
    expect(endless.code).toBe(status.INVALID_ARGUMENT);
  });
});

test("List returns the status of every service", async () => {
  const { client, listener } = await runGrpcListener();
  listener.setServing(true);

  const end = await callUnary(client(), "/grpc.health.v1.Health/List", Buffer.alloc(0));

  const { statuses } = HealthListResponse.decode(end.message ?? Buffer.alloc(0));
  const found = Object.entries(statuses).map(([name, answer]) => [name, answer.status]);
  expect(found).toEqual([
    ["", SERVING],
    [TRACE_SERVICE, SERVING],
  ]);
});

describe("Watch", () => {
  test("sends the status at once and after every change", async () => {
    const { client, listener } = await runGrpcListener();
    const watcher = watch(client(), TRACE_SERVICE);

    const first = statusIn(await watcher.next());
    listener.setServing(true);
    listener.setServing(true);
    const second = statusIn(await watcher.next());
    listener.setServing(false);
    const third = statusIn(await watcher.next());

    expect([first, second, third]).toEqual([NOT_SERVING, SERVING, NOT_SERVING]);
  });

  test("of an unknown service sends SERVICE_UNKNOWN and stays open", async () => {
    const { client, listener } = await runGrpcListener();
    const [unknown, known] = [watch(client(), "x.Y"), watch(client(), "")];
    await known.next();

    const first = statusIn(await unknown.next());
    listener.setServing(true);
    const change = statusIn(await known.next());

    expect([first, change]).toEqual([SERVICE_UNKNOWN, SERVING]);
  });

  test("of an invalid request ends with INVALID_ARGUMENT", async () => {
    const { client } = await runGrpcListener();

    const broken = Buffer.of(0x0a, 0x7f);
    const watcher = openServerStream(client(), "/grpc.health.v1.Health/Watch", broken);

    expect((await watcher.ended).code).toBe(status.INVALID_ARGUMENT);
  });

  test("ends at a stop after a final NOT_SERVING, before the grace period does", async () => {
    const { client, listener } = await runGrpcListener();
    listener.setServing(true);
    const watcher = watch(client(), "");
    await watcher.next();

    const stopped = listener.stop(3_600_000);
    const last = statusIn(await watcher.next());
    const end = await watcher.ended;
    await stopped;

    expect(last).toBe(NOT_SERVING);
    expect(end.code).toBe(status.UNAVAILABLE);
  });

  test("of a cancelled call sends nothing more and leaves no entry", () => {
    const health = new HealthService(2);
    const watchers = [fakeWatcher(), fakeWatcher()] as const;
    for (const { call } of watchers) health.admit(call, "");
    const during = countEntries(health);

    watchers[0].call.emit("cancelled");
    health.setServing(true);
    const receivedCounts = watchers.map(({ received }) => received.length);
    watchers[1].call.emit("cancelled");
    health.stop();

    expect(receivedCounts).toEqual([0, 1]);
    expect(watchers.map(({ received }) => received.length)).toEqual(receivedCounts);
    expect(during).toBeGreaterThanOrEqual(watchers.length);
    expect(countEntries(health)).toBe(0);
  });

  test("has a permit for each allowed connection, and releases it", async () => {
    const { client } = await runGrpcListener({ limits: { connections: 2 } });
    const sender = client();
    const watchers = [watch(sender, ""), watch(sender, "x.Y")] as const;
    await Promise.all(watchers.map((watcher) => watcher.next()));

    const refused = await watch(sender, "").ended;
    watchers[0].cancel();
    await heardByServer(sender);
    const admitted = await watch(sender, "").next();

    expect(refused.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(statusIn(admitted)).toBe(NOT_SERVING);
  });
});
