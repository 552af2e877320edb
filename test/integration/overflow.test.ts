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

// Goal: however much comes in, every span is accounted for at every instant, and the log stays
// short. Method: 100 times what fits, from several senders at once, while a reader takes some out
// and another reads the ledger without a pause.

const SENDERS = 8;
const REQUESTS_OF_EACH = 125;
const SPANS_OF_REQUEST = 20;
const REQUESTS = SENDERS * REQUESTS_OF_EACH;
const SPANS = REQUESTS * SPANS_OF_REQUEST;

/** One in each request: no identifiers, four bytes long. */
const INVALID_SPAN = bytesField(2, bytesField(5, "no"));
const INVALID_BYTES = 4;

/** Every span is told from all others by its number, and its sender too. */
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
])("a hundred times what fits in $what: the ledger balances at every reading", async ({ env }) => {
  await using program = await startProgram(env);
  const api = readApiClient(program.apiUrl);

  const sending = Promise.all(senders.map((requests) => sendAll(program.grpcPort, requests)));
  const [readings, takings] = await Promise.all([
    untilDone(sending, () => api.stats()),
    // So few that the buffer stays full.
    untilDone(sending, () => takeNumbers(api, 1)),
  ]);
  const left = await takeNumbers(api, SPANS);
  const { spans, bytes } = await api.stats();

  const taken = [...takings.flat(), ...left];
  const evicted = SPANS - taken.length;
  const accepted = { spans: SPANS, bytes: bytesOf(numbersOfSenders.flat()) };
  expect(readings.filter((reading) => !isRight(reading))).toEqual([]);
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

test("the log reports an overflow at once, and then once a second, with every span", async () => {
  await using program = await startProgram({ MAX_BUFFER_SIZE: String(SPANS / 100) });

  await Promise.all(senders.map((requests) => sendAll(program.grpcPort, requests)));
  const { spans } = await readApiClient(program.apiUrl).stats();
  await program.stop();

  expect(faultsOfLog(program.log(), spans.evicted)).toEqual([]);
});

/** One request after the other, on a connection of its own. */
async function sendAll(port: number, requests: readonly SentRequest[]): Promise<void> {
  using client = openExportClient(port);
  for (const { bytes } of requests) await client.export(bytes);
}

/** Again and again, and once to the end after the work is done: no result is lost. */
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

function isRight({ spans, bytes, capacity, sequence }: BufferStats): boolean {
  const isWithin = spans.buffered <= capacity.spans && bytes.buffered <= capacity.bytes;
  const isInSequence = sequence.next - sequence.first === spans.buffered;
  return balances(spans) && balances(bytes) && isWithin && isInSequence;
}

/** First in, first out: of what each sender sent, the newest must be left, without a gap. */
function newestOfEach(left: readonly number[]): number[] {
  return numbersOfSenders.flatMap((numbers) => {
    const count = left.filter(
      (number) => numbers[0]! <= number && number <= numbers.at(-1)!,
    ).length;
    return numbers.slice(numbers.length - count);
  });
}

/** A second between the lines, but for the last one: when it stops, nothing waits any longer. */
function faultsOfLog(log: readonly LogLine[], evicted: number): string[] {
  const lines = log.filter((line) => line["reason"] === "evicted");
  const counted = lines.reduce((spans, line) => spans + Number(line["count"]), 0);
  const times = lines.map(({ time }) => Date.parse(time));
  const gapsMs = times.slice(1, -1).map((time, index) => time - times[index]!);
  return [
    ...(counted === evicted ? [] : [`the lines count ${counted} of ${evicted} spans`]),
    // The program's clock moves forward only, the log's may be set meanwhile: hence some slack.
    ...gapsMs.filter((gapMs) => gapMs < 900).map((gapMs) => `lines ${gapMs} ms apart`),
  ];
}

test("told to refuse, it evicts nothing, and has room again after a take", async () => {
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

test("told to refuse, it tells the SDK's exporter UNAVAILABLE until there is room", async () => {
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
