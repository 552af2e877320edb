import { afterEach, expect, jest, spyOn, test } from "bun:test";
import { SYSTEM_CLOCK } from "../../src/adapters/clock/system-clock.ts";
import { DESCRIPTOR_CHECK_MS } from "../../src/adapters/listening/descriptor-guard.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { dataDirectory, send } from "../support/running/data-directory.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { sendHalf } from "../support/running/half-sent-call.ts";
import { runServer } from "../support/running/running-server.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { startHttpUpstream } from "../support/upstreams/http-upstream.ts";

// Goal: each stage starts and stops its parts.
// Method: a complete server runs, and the effects of its parts are observed from outside.

const folder = temporaryFolder();

const DAY_MS = "86400000";
const NO_UPSTREAM = { FORWARD_ENDPOINT: "http://127.0.0.1:1" };

afterEach(() => void jest.useRealTimers());

test("the high-water mark ends when the buffer has been empty for some time", async () => {
  const directory = { DATA_DIR: dataDirectory(folder).path, DURABILITY: "stop" };
  const former = await runServer(directory);
  await send(former, requestOf(4));
  await former.stop(0);
  jest.useFakeTimers();
  const logger = new RecordingLogger();
  // Less than half of the buffer waits for a day to be sent, so that all of it can be cleared.
  const waiting = { MAX_BUFFER_SIZE: "10", FORWARD_MAX_DELAY_MS: DAY_MS };
  const env = { ...NO_UPSTREAM, ...waiting, FORWARD_HIGH_WATER: "30" };
  const server = await runServer({ ...env, ...directory }, logger);
  const marks = () =>
    logger.lines.map(({ event }) => event).filter((event) => event.startsWith("high_water"));

  server.arrivals.clear();
  const before = marks();
  jest.advanceTimersByTime(60_000);
  const after = marks();
  jest.useRealTimers();
  await server.stop(0);

  expect([before, after]).toEqual([["high_water"], ["high_water", "high_water_ended"]]);
});

test.each([
  { what: "unsupported signals", path: "/v1/metrics", event: "problem" },
  { what: "unknown paths", path: "/v1/trace", event: "problem" },
])("all requests for $what are logged before a stop ends", async ({ path, event }) => {
  const logger = new RecordingLogger();
  const server = await runServer({}, logger);
  const headers = { "Content-Type": "application/json" };
  const loggedRequests = () =>
    logger.lines
      .filter((line) => line.event === event)
      .reduce((sum, { fields }) => sum + Number(fields["metrics"] ?? fields["count"]), 0);

  for (let request = 0; request < 3; request += 1) {
    const url = `http://127.0.0.1:${server.ports.http}${path}`;
    await fetch(url, { method: "POST", headers, body: "{}" });
  }
  const before = loggedRequests();
  await server.stop(0);

  expect([before, loggedRequests()]).toEqual([1, 3]);
});

test("buffered spans are forwarded while a stop waits for calls in flight", async () => {
  const upstream = startHttpUpstream(() => new Response());
  const server = await runServer({
    FORWARD_ENDPOINT: `http://127.0.0.1:${upstream.port}`,
    FORWARD_PROTOCOL: "http/protobuf",
    FORWARD_MAX_DELAY_MS: DAY_MS,
  });
  await exportOverHttp(`http://127.0.0.1:${server.ports.http}`, requestOf(1));
  using call = await sendHalf(Number(server.ports.grpc), requestOf(1, 2));
  const before = upstream.requests.length;

  const stopped = server.stop(3_600_000);
  await upstream.arrivals.reached(1);
  const status = await call.finish();
  await stopped;
  await upstream.stop();

  expect(before).toBe(0);
  expect(status).not.toBe(0);
  expect(upstream.requests.map(({ bytes }) => Buffer.from(bytes))).toEqual([
    Buffer.from(requestOf(1)),
  ]);
});

/** Records the periods of all actions that are repeated from now on, until they are cancelled. */
function watchRepeated() {
  const { repeat } = SYSTEM_CLOCK;
  const running = new Set<{ readonly periodMs: number }>();
  const spy = spyOn(SYSTEM_CLOCK, "repeat").mockImplementation((periodMs, action) => {
    const call = { periodMs };
    running.add(call);
    const cancel = repeat(periodMs, action);
    return () => {
      running.delete(call);
      cancel();
    };
  });
  const periodsMs = () =>
    Array.from(running, ({ periodMs }) => periodMs).toSorted((one, other) => one - other);
  return { periodsMs, [Symbol.dispose]: () => spy.mockRestore() };
}

test("a stop ends all repeated actions", async () => {
  using repeated = watchRepeated();
  const server = await runServer(NO_UPSTREAM);
  const during = repeated.periodsMs();

  await server.stop(0);

  // The guard of file descriptors, the expiry of requests over gRPC, the high-water mark, the
  // expiry of requests over HTTP and of unfinished heads at the read API, and idle connections.
  expect(during).toEqual([DESCRIPTOR_CHECK_MS, 500, 1_000, 1_000, 1_000, 30_000]);
  expect(repeated.periodsMs()).toEqual([]);
});
