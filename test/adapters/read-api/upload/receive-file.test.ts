import { expect, test } from "bun:test";
import { otlpJson } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { receiveFile } from "../../../../src/adapters/read-api/upload/receive-file.ts";
import { ReceiveTraces } from "../../../../src/application/receiving/receive-traces.ts";
import { ObservabilityBuffer } from "../../../../src/application/ring/observability-buffer.ts";
import { ProtobufSpanCodec } from "../../../../src/adapters/otlp/span-codec.ts";
import { SYSTEM_CLOCK } from "../../../../src/adapters/clock/system-clock.ts";
import type { Receipt } from "../../../../src/domain/receipt.ts";
import { RecordingLogger } from "../../../support/fakes/recording-logger.ts";
import { chunksOf, lengthDelimited, textBytes } from "../../../support/requests/byte-chunks.ts";
import { requestOf } from "../../../support/requests/request-bytes.ts";

const LIMITS = { requestBytes: 4 * 1024 * 1024, spansPerRequest: 100_000, nestingDepth: 100 };

interface Setting {
  readonly overflowPolicy?: "refuse";
  readonly receive?: (request: Uint8Array) => Receipt;
  readonly decompressed?: (lengthBytes: number) => void;
  readonly limits?: typeof LIMITS;
}

/** Receives a file into a ring of 50,000 spans. */
async function receive(file: Uint8Array, setting: Setting = {}) {
  const { overflowPolicy = "drop_oldest", decompressed = () => {}, limits = LIMITS } = setting;
  const capacity = { spans: overflowPolicy === "refuse" ? 3 : 50_000, bytes: 2 ** 24 };
  const codec = new ProtobufSpanCodec();
  const buffer = ObservabilityBuffer.create(capacity, { codec, overflowPolicy });
  const turnedAway: string[] = [];
  const receiver = Object.assign(
    new ReceiveTraces({
      buffer,
      limits: LIMITS,
      logger: new RecordingLogger(),
      clock: SYSTEM_CLOCK,
      roomAfterMs: () => undefined,
    }),
    { turnedAway: (outcome: string) => void turnedAway.push(outcome) },
    setting.receive && { receive: setting.receive },
  );
  const answered: string[] = [];
  const receivedBytes: number[] = [];
  const failures: unknown[] = [];
  const tally = await receiveFile(chunksOf(file, 64 * 1024), {
    receivers: { protobuf: receiver, json: receiver },
    limits,
    failed: (error) => failures.push(error),
    answered: ({ outcome }) => answered.push(outcome),
    decompressed,
    received: (fileBytes) => receivedBytes.push(fileBytes),
  });
  const { buffered } = buffer.stats().spans;
  return { tally, buffered, answered, turnedAway, receivedBytes, failures };
}

const LINE = `${otlpJson(requestOf(2))}\n`;
const NOTHING = {
  spans: 0,
  traces: 0,
  requests: 0,
  rejected_spans: 0,
  refused_requests: 0,
  other_signals: 0,
  broken_parts: 0,
  reasons: [],
  is_complete: true,
};

test.each([
  { name: "protobuf", file: requestOf(2), requests: 1 },
  { name: "length-delimited protobuf", file: lengthDelimited(requestOf(2)), requests: 1 },
  { name: "a JSON document", file: textBytes(LINE), requests: 1 },
  { name: "gzip of JSON", file: Bun.gzipSync(LINE), requests: 1 },
  { name: "zstd of protobuf", file: Bun.zstdCompressSync(requestOf(2)), requests: 1 },
])("the spans of $name are received", async ({ file, requests }) => {
  const { tally, buffered } = await receive(file);

  expect(tally).toEqual({ ...NOTHING, spans: 2, traces: 2, requests });
  expect(buffered).toBe(2);
});

test("JSON lines are requests of their own, of which each trace counts once", async () => {
  const { tally, buffered } = await receive(textBytes(LINE.repeat(3)));

  expect(tally).toEqual({ ...NOTHING, spans: 6, traces: 2, requests: 3 });
  expect(buffered).toBe(6);
});

test("a document that is too long to be parsed is converted", async () => {
  const file = otlpJson(requestOf(20_000));

  const { tally, buffered } = await receive(textBytes(file));

  expect(file.length).toBeGreaterThan(1024 * 1024);
  expect(tally).toEqual({ ...NOTHING, spans: 20_000, traces: 20_000, requests: 1 });
  expect(buffered).toBe(20_000);
});

test.each([
  { name: "metrics are another signal", key: "resourceMetrics", other: 1, broken: 0 },
  { name: "anything else is broken", key: "rows", other: 0, broken: 1 },
])("in a document that is too long to be parsed, $name", async ({ key, other, broken }) => {
  const file = JSON.stringify({ [key]: ["x".repeat(1024 * 1024)] });

  const { tally } = await receive(textBytes(file));

  expect(tally).toMatchObject({ requests: 0, other_signals: other, broken_parts: broken });
});

test("a request that is larger than the limit is broken, in JSON and in protobuf", async () => {
  const limits = { ...LIMITS, requestBytes: 10_000 };
  const large = requestOf(1000);

  const files = [textBytes(otlpJson(large)), large, lengthDelimited(large)];
  const tallies = await Promise.all(files.map((file) => receive(file, { limits })));

  expect(tallies.map(({ tally }) => [tally.requests, tally.broken_parts])).toEqual([
    [0, 1],
    [0, 1],
    [0, 1],
  ]);
});

test("broken parts and other signals are skipped, counted and explained", async () => {
  const file = `${LINE}{"resourceMetrics":[]}\n{"resourceSpans":[\n${LINE}`;

  const { tally } = await receive(textBytes(file));

  expect(tally).toMatchObject({ spans: 4, requests: 2, other_signals: 1, broken_parts: 1 });
  expect(tally.reasons).toEqual([expect.stringContaining("line 3: incomplete or invalid JSON")]);
});

test("spans that are not valid are counted, and the receiver says why", async () => {
  const spans = [{ traceId: "00", spanId: "00", name: "x" }];
  const file = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

  const { tally, answered } = await receive(textBytes(file));

  expect(tally).toMatchObject({ spans: 0, rejected_spans: 1, refused_requests: 0 });
  expect(tally.reasons).toEqual([expect.stringContaining("trace")]);
  expect(answered).toEqual(["partly_rejected"]);
});

test("JSON that is not OTLP is refused and counted by its receiver", async () => {
  const { tally, turnedAway } = await receive(textBytes('{"resourceSpans":7}\n'));

  expect(tally).toMatchObject({ requests: 1, refused_requests: 1 });
  expect(tally.reasons).toEqual([expect.stringContaining("not OTLP/JSON")]);
  expect(turnedAway).toEqual(["malformed"]);
});

test("a full buffer that refuses ends the file", async () => {
  const { tally, buffered } = await receive(textBytes(LINE.repeat(5)), {
    overflowPolicy: "refuse",
  });

  expect(tally).toMatchObject({ spans: 2, refused_requests: 1, is_complete: false });
  expect(tally.requests).toBe(2);
  expect(buffered).toBe(2);
});

test("a fault of ours ends the file, and is reported", async () => {
  const fault = new Error("broken");
  const { tally, failures } = await receive(textBytes(LINE.repeat(2)), {
    receive: () => {
      throw fault;
    },
  });

  expect(failures).toEqual([fault]);
  expect(tally).toMatchObject({ requests: 1, is_complete: false });
});

test("decompressed bytes are reported before they are read, and may end the file", async () => {
  const { tally } = await receive(Bun.gzipSync(LINE.repeat(1000)), {
    decompressed: () => {
      throw new Error("too much");
    },
  });

  expect(tally).toMatchObject({ spans: 0, is_complete: false });
  expect(tally.reasons).toEqual(["byte 0: cannot read further: too much"]);
});

test("only the first ten different reasons are kept", async () => {
  const lines = Array.from({ length: 12 }, (_, at) => `${LINE}${"x".repeat(at + 1)}\n`);

  const { tally } = await receive(textBytes(lines.join("")));

  expect(tally.broken_parts).toBe(12);
  expect(tally.reasons).toHaveLength(10);
});

test("the size of each received item is reported", async () => {
  const { receivedBytes } = await receive(textBytes(LINE.repeat(2)));

  expect(receivedBytes).toEqual([LINE.length, LINE.length]);
});
