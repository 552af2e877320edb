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

/** A call that notes what it is told: each message, and the failure at its end. */
function fakeWatcher() {
  const heard: unknown[] = [];
  const emitter = new EventEmitter().on("error", (failure) => heard.push(failure));
  const call = Object.assign(emitter, { write: (message: Buffer) => heard.push(message) });
  return { heard, call: call as unknown as ServerWritableStream<Buffer, Buffer> };
}

describe("Check", () => {
  test.each([
    { service: "", isServing: true, expected: SERVING },
    { service: TRACE_SERVICE, isServing: true, expected: SERVING },
    { service: "", isServing: false, expected: NOT_SERVING },
    { service: TRACE_SERVICE, isServing: false, expected: NOT_SERVING },
  ])("of %p while serving is $isServing: $expected", async ({ service, isServing, expected }) => {
    const { client, listener } = await runGrpcListener();
    listener.setServing(isServing);

    const end = await check(client(), requestFor(service));

    expect(end.code).toBe(status.OK);
    expect(statusIn(end.message)).toBe(expected);
  });

  test("reports NOT_SERVING until it is set to serving", async () => {
    const { client } = await runGrpcListener();

    const end = await check(client(), requestFor(""));

    expect(statusIn(end.message)).toBe(NOT_SERVING);
  });

  test.each([
    { name: "a service that is not there", message: requestFor("x.Y"), code: status.NOT_FOUND },
    { name: "no request", message: Buffer.of(0x0a, 0x7f), code: status.INVALID_ARGUMENT },
    {
      name: "a name without end",
      message: requestFor("x".repeat(5000)),
      code: status.INVALID_ARGUMENT,
    },
  ])("of $name: $code", async ({ message, code }) => {
    const { client } = await runGrpcListener();

    const end = await check(client(), message);

    expect(end.code).toBe(code);
  });

  test("takes gzip, and not a name that becomes endless", async () => {
    const { client, listener } = await runGrpcListener();
    listener.setServing(true);
    const sender = client(GZIP);

    const small = await check(sender, requestFor(TRACE_SERVICE));
    const endless = await check(sender, requestFor("x".repeat(1_000_000)));

    expect(statusIn(small.message)).toBe(SERVING);
    expect(endless.code).toBe(status.INVALID_ARGUMENT);
  });
});

test("List names every service with its status", async () => {
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
  test("sends the status at once, and every change of it", async () => {
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

  test("of a service that is not there says so, and goes on", async () => {
    const { client, listener } = await runGrpcListener();
    const [unknown, known] = [watch(client(), "x.Y"), watch(client(), "")];
    await known.next();

    const first = statusIn(await unknown.next());
    listener.setServing(true);
    const change = statusIn(await known.next());

    expect([first, change]).toEqual([SERVICE_UNKNOWN, SERVING]);
  });

  test("of no request ends with INVALID_ARGUMENT", async () => {
    const { client } = await runGrpcListener();

    const broken = Buffer.of(0x0a, 0x7f);
    const watcher = openServerStream(client(), "/grpc.health.v1.Health/Watch", broken);

    expect((await watcher.ended).code).toBe(status.INVALID_ARGUMENT);
  });

  test("ends when the server stops, after a last word, long before the time is up", async () => {
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

  test("that its client has cancelled gets nothing more, and leaves no entry behind", () => {
    const health = new HealthService(2);
    const watchers = [fakeWatcher(), fakeWatcher()] as const;
    for (const { call } of watchers) health.admit(call, "");
    const during = countEntries(health);

    watchers[0].call.emit("cancelled");
    health.setServing(true);
    const told = watchers.map(({ heard }) => heard.length);
    watchers[1].call.emit("cancelled");
    health.stop();

    expect(told).toEqual([0, 1]);
    expect(watchers.map(({ heard }) => heard.length)).toEqual(told);
    expect(during).toBeGreaterThanOrEqual(watchers.length);
    expect(countEntries(health)).toBe(0);
  });

  test("has as many permits as connections are allowed, and releases them", async () => {
    const { client } = await runGrpcListener({ limits: { connections: 2 } });
    const sender = client();
    const kept = [watch(sender, ""), watch(sender, "x.Y")] as const;
    await Promise.all(kept.map((watcher) => watcher.next()));

    const refused = await watch(sender, "").ended;
    kept[0].cancel();
    await heardByServer(sender);
    const admitted = await watch(sender, "").next();

    expect(refused.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(statusIn(admitted)).toBe(NOT_SERVING);
  });
});
