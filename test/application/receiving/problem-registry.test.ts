import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import {
  MAX_ADDRESSES,
  ProblemRegistry,
} from "../../../src/application/receiving/problem-registry.ts";
import type { Problem } from "../../../src/ports/logger.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";

const PORTS = { grpc: 4317, http: 4318, api: 4319 };
const MALFORMED: Problem = {
  protocol: "http",
  reason: "malformed",
  address: "10.0.0.7",
  detail: "at byte 0",
};

function createRegistry() {
  const logger = new RecordingLogger();
  const clock = new HandMovedClock();
  const time = { unixMs: 1_000 };
  const registry = new ProblemRegistry({
    logger,
    clock,
    unixMs: () => time.unixMs,
    ports: () => PORTS,
  });
  return { registry, logger, clock, time };
}

test("problems of one peer for one reason are one entry, with the first and last time", () => {
  const { registry, time } = createRegistry();

  registry.note(MALFORMED);
  time.unixMs = 3_000;
  registry.note({ ...MALFORMED, count: 4, detail: "at byte 9" });

  expect(registry.list()).toEqual([
    {
      protocol: "http",
      reason: "malformed",
      address: "10.0.0.7",
      count: 5,
      firstUnixMs: 1_000,
      lastUnixMs: 3_000,
      detail: "at byte 9",
      hint: expect.stringContaining("trace exporter"),
    },
  ]);
});

test("entries are listed by their last occurrence, newest first", () => {
  const { registry } = createRegistry();

  registry.note(MALFORMED);
  registry.note({ ...MALFORMED, protocol: "grpc" });
  registry.note({ ...MALFORMED, reason: "too_large" });
  registry.note({ ...MALFORMED, address: "10.0.0.8" });
  registry.note(MALFORMED);

  const seen = registry.list().map(({ protocol, reason, address }) => [protocol, reason, address]);
  expect(seen).toEqual([
    ["http", "malformed", "10.0.0.7"],
    ["http", "malformed", "10.0.0.8"],
    ["http", "too_large", "10.0.0.7"],
    ["grpc", "malformed", "10.0.0.7"],
  ]);
});

test("the latest peers of each reason are listed, even during a flood of another", () => {
  const { registry } = createRegistry();
  registry.note({ ...MALFORMED, reason: "too_large" });
  registry.note(MALFORMED);

  for (let peer = 0; peer < 1_000; peer += 1) {
    registry.note(MALFORMED);
    registry.note({ ...MALFORMED, address: `10.1.0.${peer}` });
  }

  const list = registry.list();
  expect(list).toHaveLength(MAX_ADDRESSES + 1);
  expect(list.map(({ address }) => address)).toContain("10.1.0.999");
  expect(list).toContainEqual(expect.objectContaining({ address: "10.0.0.7", count: 1_001 }));
  expect(list.at(-1)).toMatchObject({ reason: "too_large", count: 1 });
});

test("totals include the peers that are no longer listed, once each", () => {
  const { registry } = createRegistry();

  for (let peer = 0; peer < 100; peer += 1) {
    registry.note({ ...MALFORMED, address: `10.1.0.${peer}`, count: 2 });
  }

  const total = registry.totals().find(({ count }) => count > 0);
  expect(total).toEqual({
    protocol: "http",
    reason: "malformed",
    count: 200,
    detail: "at byte 0",
    hint: registry.hint("malformed"),
  });
  expect(registry.totals().filter(({ count }) => count > 0)).toHaveLength(1);
});

test("every reason has a total before it occurs", () => {
  const { registry } = createRegistry();

  const keys = registry.totals().map(({ protocol, reason }) => `${protocol} ${reason}`);

  expect(keys).toContain("grpc malformed");
  expect(keys).toContain("api otlp_on_api");
  expect(keys).not.toContain("grpc not_otlp_json");
  expect(new Set(keys).size).toBe(keys.length);
});

test("text of a peer is escaped and truncated, and an IPv4 address has one spelling", () => {
  const { registry } = createRegistry();

  registry.note({
    ...MALFORMED,
    address: "::ffff:10.0.0.7",
    detail: `\u001B[2J${"x".repeat(999)}`,
  });

  const [problem] = registry.list();
  expect(problem?.address).toBe("10.0.0.7");
  expect(problem?.detail).toStartWith(String.raw`\x1b[2Jxxx`);
  expect(Buffer.byteLength(problem?.detail ?? "")).toBeLessThanOrEqual(256);
});

test("a long text is not kept in memory for the part that is shown", () => {
  const { registry } = createRegistry();
  Bun.gc(true);
  const before = heapStats().extraMemorySize;

  for (let peer = 0; peer < MAX_ADDRESSES; peer += 1) {
    const detail = Buffer.alloc(4_000_000, `${peer}`).toString("latin1");
    registry.note({ ...MALFORMED, address: `10.1.0.${peer}`, detail });
  }
  Bun.gc(true);

  expect(registry.list()).toHaveLength(MAX_ADDRESSES);
  expect(heapStats().extraMemorySize - before).toBeLessThan(4_000_000);
});

test("the first problem is logged at once, and later ones once a second with a count", () => {
  const { registry, logger, clock } = createRegistry();

  for (let time = 0; time < 5; time += 1) registry.note({ ...MALFORMED, count: 2 });
  clock.moveMs(999);
  const early = logger.lines.length;
  clock.moveMs(1);

  const fields = {
    protocol: "http",
    reason: "malformed",
    address: "10.0.0.7",
    detail: "at byte 0",
    hint: registry.hint("malformed"),
  };
  expect(early).toBe(1);
  expect(logger.lines).toEqual([
    { level: "warning", event: "problem", fields: { ...fields, count: 2 } },
    { level: "warning", event: "problem", fields: { ...fields, count: 8 } },
  ]);
});

test("each reason of each protocol has its own log lines", () => {
  const { registry, logger } = createRegistry();

  registry.note(MALFORMED);
  registry.note({ ...MALFORMED, protocol: "grpc" });
  registry.note({ ...MALFORMED, reason: "too_large" });
  registry.note({ ...MALFORMED, address: "10.0.0.8" });

  expect(logger.lines).toHaveLength(3);
});

test("a log line omits unknown fields", () => {
  const { registry, logger } = createRegistry();

  registry.note({ protocol: "grpc", reason: "evicted", address: "" });

  const { fields } = logger.lines[0]!;
  expect(Object.keys(fields)).toEqual(["protocol", "reason", "count", "hint"]);
});

test("an internal error is logged at level error with its stack", () => {
  const { registry, logger } = createRegistry();

  registry.note({ protocol: "grpc", reason: "failed", address: "", error: new Error("broken") });

  expect(logger.lines).toEqual([
    {
      level: "error",
      event: "receive_failed",
      fields: expect.objectContaining({ error: expect.stringContaining("Error: broken\n") }),
    },
  ]);
  expect(JSON.stringify(registry.list())).not.toContain("broken");
});

test("the hint says that ports are swapped if each receives the traffic of the other", () => {
  const { registry, logger } = createRegistry();
  const hints = () => registry.list().map(({ hint }) => hint);

  registry.note({ protocol: "http", reason: "grpc_on_http", address: "10.0.0.7" });
  const alone = hints();
  registry.note({ protocol: "grpc", reason: "http_on_grpc", address: "10.0.0.7" });

  const swapped = "4317 and 4318 are swapped: OTLP/gRPC goes to 4317, OTLP/HTTP to 4318";
  expect(alone).toEqual([expect.stringContaining("OTLP/gRPC is at port 4317;")]);
  expect(hints()).toEqual([swapped, swapped]);
  expect(logger.lines.at(-1)?.fields["hint"]).toBe(swapped);
  expect(registry.hint("malformed")).not.toBe(swapped);
});

test("closing logs the remaining counts", () => {
  const { registry, logger, clock } = createRegistry();
  registry.note(MALFORMED);
  registry.note(MALFORMED);

  registry.close();
  clock.moveMs(5_000);

  expect(logger.lines.map(({ fields }) => fields["count"])).toEqual([1, 1]);
});
