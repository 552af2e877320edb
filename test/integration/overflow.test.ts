import { type ServiceError, status } from "@grpc/grpc-js";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { expect, test } from "bun:test";
import type { BufferStats } from "../../src/domain/ledger.ts";
import { decodeSpans } from "../support/requests/decoded-request.ts";
import { openExportClient } from "../support/running/export-client.ts";
import { type ReadApiClient, readApiClient } from "../support/running/read-api-client.ts";
import {
  request,
  requestOf,
  resourceSpans,
  span,
  spanBody,
} from "../support/requests/request-bytes.ts";
import { retryDelayOf } from "../support/oracles/retry-delay.ts";
import { type LogLine, startProgram } from "../support/running/running-program.ts";
import { bytesField } from "../support/requests/wire-bytes.ts";
import { ledgerOf } from "../support/oracles/ledger-of.ts";
import { balances } from "../support/oracles/watched-ledger.ts";

// Goal: in an overflow, every span is accounted for at every instant, and the log stays short.
// Method: several senders send 100 times the capacity at once, while a reader takes some spans and
// another reads the ledger continuously.

const SENDERS = 8;
const REQUESTS_OF_EACH = 125;
const SPANS_OF_REQUEST = 20;
const REQUESTS = SENDERS * REQUESTS_OF_EACH;
const SPANS = REQUESTS * SPANS_OF_REQUEST;

/** A span without identifiers, four bytes long; each request contains one. */
const INVALID_SPAN = bytesField(2, bytesField(5, "no"));
const INVALID_BYTES = 4;

/** Returns requests whose span numbers identify each span and its sender. */
function requestsOf(sender: number): SentRequest[] {
  return Array.from({ length: REQUESTS_OF_EACH }, (_, index) => {
    const first = sender * 1_000_000 + index * SPANS_OF_REQUEST;
    const numbers = Array.from(Array(SPANS_OF_REQUEST).keys(), (offset) => first + offset);
    const spans = numbers.map((number) => span(number));
    return { numbers, bytes: request(resourceSpans("shop", ...spans, INVALID_SPAN)) };
  });
}

interface SentRequest {
  readonly numbers: readonly number[];
  readonly bytes: Uint8Array;
}

const senders = Array.from({ length: SENDERS }, (_, sender) => requestsOf(sender));
const numbersOfSenders = senders.map((requests) => requests.flatMap(({ numbers }) => numbers));

test.each([
  { what: "spans", env: { MAX_BUFFER_SIZE: String(SPANS / 100) } },
  { what: "bytes", env: { MAX_BUFFER_BYTES: "9KiB" } },
])("the ledger always balances while a hundred times the $what arrive", async ({ env }) => {
  await using program = await startProgram(env);
  const api = readApiClient(program.apiUrl);

  const sending = Promise.all(senders.map((requests) => sendAll(program.grpcPort, requests)));
  const [readings, takings] = await Promise.all([
    untilDone(sending, () => api.stats()),
    // The takes are so small that the buffer stays full.
    untilDone(sending, () => takeNumbers(api, 1)),
  ]);
  const left = await takeNumbers(api, SPANS);
  const { spans, bytes } = await api.stats();

  const taken = [...takings.flat(), ...left];
  const evicted = SPANS - taken.length;
  const accepted = { spans: SPANS, bytes: bytesOf(numbersOfSenders.flat()) };
  expect(readings.filter((reading) => !isConsistent(reading))).toEqual([]);
  expect(readings.length).toBeGreaterThan(10);
  expect(spans).toEqual(
    ledgerOf({
      received: accepted.spans + REQUESTS,
      rejected: REQUESTS,
      accepted: accepted.spans,
      buffered: 0,
      taken: taken.length,
      evicted,
    }),
  );
  expect(bytes).toEqual(
    ledgerOf({
      received: accepted.bytes + INVALID_BYTES * REQUESTS,
      rejected: INVALID_BYTES * REQUESTS,
      accepted: accepted.bytes,
      buffered: 0,
      taken: bytesOf(taken),
      evicted: accepted.bytes - bytesOf(taken),
    }),
  );
  expect(new Set(taken).size).toBe(taken.length);
  expect(left.length).toBeGreaterThan(SPANS_OF_REQUEST);
  expect(left.toSorted((one, other) => one - other)).toEqual(newestOfEach(left));
});

test("the log reports every evicted span, at once and then once a second", async () => {
  await using program = await startProgram({ MAX_BUFFER_SIZE: String(SPANS / 100) });

  await Promise.all(senders.map((requests) => sendAll(program.grpcPort, requests)));
  const { spans } = await readApiClient(program.apiUrl).stats();
  await program.stop();

  expect(faultsOfLog(program.log(), spans.evicted)).toEqual([]);
});

/** Sends the requests one at a time, over a connection of its own. */
async function sendAll(port: number, requests: readonly SentRequest[]): Promise<void> {
  using client = openExportClient(port);
  for (const { bytes } of requests) await client.export(bytes);
}

/** Repeats an action until the work is done; returns all results. */
async function untilDone<Result>(
  work: Promise<unknown>,
  action: () => Promise<Result>,
): Promise<Result[]> {
  const state = { isDone: false };
  const end = work.finally(() => {
    state.isDone = true;
  });
  const results: Result[] = [];
  while (!state.isDone) results.push(await action());
  await end;
  return results;
}

async function takeNumbers(api: ReadApiClient, limit: number): Promise<number[]> {
  const spans = decodeSpans(await api.takeAsBytes(limit));
  return spans.map(({ span: { name } }) => Number(name.replace("span ", "")));
}

function bytesOf(numbers: readonly number[]): number {
  return numbers.reduce((bytes, number) => bytes + spanBody(number).length, 0);
}

function isConsistent({ spans, bytes, capacity, sequence }: BufferStats): boolean {
  const isWithin = spans.buffered <= capacity.spans && bytes.buffered <= capacity.bytes;
  const isInSequence = sequence.next - sequence.first === spans.buffered;
  return balances(spans) && balances(bytes) && isWithin && isInSequence;
}

/** Returns the newest spans of each sender, as many as are left of it: first in, first out. */
function newestOfEach(left: readonly number[]): number[] {
  return numbersOfSenders.flatMap((numbers) => {
    const count = left.filter(
      (number) => numbers[0]! <= number && number <= numbers.at(-1)!,
    ).length;
    return numbers.slice(numbers.length - count);
  });
}

/** Returns the faults of the log: lines, except the last one at the stop, are a second apart. */
function faultsOfLog(log: readonly LogLine[], evicted: number): string[] {
  const lines = log.filter((line) => line["reason"] === "evicted");
  const counted = lines.reduce((spans, line) => spans + Number(line["count"]), 0);
  const times = lines.map(({ time }) => Date.parse(time));
  const gapsMs = times.slice(1, -1).map((time, index) => time - times[index]!);
  return [
    ...(counted === evicted ? [] : [`the lines count ${counted} of ${evicted} spans`]),
    // The clock of the log may be set meanwhile, unlike the monotonic one, hence the tolerance.
    ...gapsMs.filter((gapMs) => gapMs < 900).map((gapMs) => `lines ${gapMs} ms apart`),
  ];
}

test("with the policy refuse, no span is evicted, and a take makes room", async () => {
  await using program = await startProgram({ OVERFLOW_POLICY: "refuse", MAX_BUFFER_SIZE: "10" });
  using client = openExportClient(program.grpcPort);
  const api = readApiClient(program.apiUrl);
  const [first, second] = [requestOf(8), requestOf(8, 9)];

  await client.export(first);
  const refusal = await client.export(second).catch((error: unknown) => error as ServiceError);
  const { spans } = await api.stats();
  const taken = await api.takeAsBytes(10);
  await client.export(second);
  const takenAfter = await api.takeAsBytes(10);

  expect(refusal).toMatchObject({ code: status.UNAVAILABLE });
  expect(retryDelayOf(refusal)).toBeGreaterThan(0);
  expect(spans).toMatchObject({ accepted: 8, buffered: 8, evicted: 0 });
  expect(taken.toHex()).toBe(first.toHex());
  expect(takenAfter.toHex()).toBe(second.toHex());
  expect(await program.logged("problem")).toMatchObject({ reason: "buffer_full", count: 1 });
});

test("with the policy refuse, the SDK receives UNAVAILABLE until a take makes room", async () => {
  await using program = await startProgram({ OVERFLOW_POLICY: "refuse", MAX_BUFFER_SIZE: "1" });
  const exporter = new OTLPTraceExporter({ url: program.grpcUrl });
  const memory = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor({ exporter: memory })];
  new TracerProvider({ spanProcessors }).getTracer("test").startSpan("span").end();
  const exportOnce = () =>
    new Promise<ExportResult>((resolve) => {
      exporter.export(memory.getFinishedSpans(), resolve);
    });

  const first = await exportOnce();
  const second = await exportOnce();
  await readApiClient(program.apiUrl).takeAsBytes(1);
  const third = await exportOnce();
  await exporter.shutdown();

  expect([first, second, third].map(({ code }) => code)).toEqual([0, 1, 0]);
  expect(second.error).toMatchObject({ code: status.UNAVAILABLE });
});

type ExportResult = Parameters<Parameters<OTLPTraceExporter["export"]>[1]>[0];
