import { status } from "@grpc/grpc-js";
import { expect, test } from "bun:test";
import { ledgerOf } from "../support/oracles/ledger-of.ts";
import { openExportClient } from "../support/running/export-client.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { startProgram } from "../support/running/running-program.ts";
import { type RunningUpstream, startUpstream } from "../support/upstreams/running-upstream.ts";
import type { OrderedAnswer } from "../support/upstreams/upstream-process.ts";
import { ledgerWhenEmpty } from "../support/oracles/watched-ledger.ts";

// Goal: after any response of an upstream, each span is delivered or undeliverable for a reason,
// and the ledger agrees with the upstream.
// Method: a program forwards batch by batch to an upstream in a process of its own, which gives all
// responses of the OTLP rules.

/** Sends each request as one batch, without long waits. */
const SETTINGS = {
  FORWARD_CONCURRENCY: "1",
  FORWARD_MAX_DELAY_MS: "0",
  FORWARD_RETRY_INITIAL_MS: "1",
  FORWARD_RETRY_MAX_MS: "10",
};

const SPANS = 10;

/** The settlement of ten spans. */
interface Fate {
  /** The number of spans in each request that the upstream received. */
  readonly batches: readonly number[];
  readonly delivered: number;
  readonly undeliverable: number;
}

interface AnswerCase extends Fate {
  readonly name: string;
  /** The answers to one request each; all other requests are accepted. */
  readonly answers: readonly OrderedAnswer[];
}

const DELIVERED: Fate = { batches: [SPANS], delivered: SPANS, undeliverable: 0 };
const RETRIED: Fate = { ...DELIVERED, batches: [SPANS, SPANS] };
const REJECTED: Fate = { batches: [SPANS], delivered: 0, undeliverable: SPANS };
/** After an empty request, the batch is sent in parts, or whole if no span is the cause. */
const REFUSED: Fate = { ...DELIVERED, batches: [SPANS, 0, SPANS / 2, SPANS / 2] };
const BLOCKED: Fate = { ...DELIVERED, batches: [SPANS, 0, SPANS] };
const HALVED: Fate = { ...DELIVERED, batches: [SPANS, SPANS / 2, SPANS / 2] };

const COMMON: readonly AnswerCase[] = [
  { name: "full success", answers: [{ kind: "accept" }], ...DELIVERED },
  {
    name: "partial success",
    answers: [{ kind: "reject", rejectedSpans: 3 }],
    batches: [SPANS],
    delivered: SPANS - 3,
    undeliverable: 3,
  },
  {
    name: "partial success that rejects all spans",
    answers: [{ kind: "reject", rejectedSpans: SPANS }],
    ...REJECTED,
  },
];

function failing(name: string, failure: { code: number; message?: string; afterMs?: number }) {
  return { name, answers: [{ kind: "fail", ...failure } as const] };
}

const { RESOURCE_EXHAUSTED } = status;
const TOO_LARGE = {
  code: RESOURCE_EXHAUSTED,
  message: "Received message larger than max (5000000 vs. 4194304)",
};

const RETRYABLE = [
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.UNAVAILABLE,
  status.DATA_LOSS,
];

const OF_ACCESS = [
  status.NOT_FOUND,
  status.PERMISSION_DENIED,
  status.UNIMPLEMENTED,
  status.UNAUTHENTICATED,
];

const OF_SPANS = Object.values(status).filter(
  (code): code is status =>
    typeof code === "number" && ![status.OK, ...RETRYABLE, ...OF_ACCESS].includes(code),
);

const OVER_GRPC: readonly AnswerCase[] = [
  ...COMMON,
  ...RETRYABLE.map((code) => ({ ...failing(status[code], { code }), ...RETRIED })),
  ...RETRYABLE.map((code) => ({
    ...failing(`${status[code]} with RetryInfo`, { code, afterMs: 20 }),
    ...RETRIED,
  })),
  ...OF_SPANS.map((code) => ({ ...failing(status[code], { code }), ...REFUSED })),
  ...OF_SPANS.map((code) => ({
    ...failing(`${status[code]} with RetryInfo`, { code, afterMs: 20 }),
    ...REFUSED,
  })),
  ...OF_ACCESS.map((code) => ({ ...failing(status[code], { code }), ...BLOCKED })),
  ...OF_ACCESS.map((code) => ({
    ...failing(`${status[code]} with RetryInfo`, { code, afterMs: 20 }),
    ...BLOCKED,
  })),
  // This is the last case, because batches are smaller from then on.
  { ...failing("too large", TOO_LARGE), ...HALVED },
];

const OVER_HTTP: readonly AnswerCase[] = [
  ...COMMON,
  ...[429, 502, 503, 504].map((code) => ({ ...failing(String(code), { code }), ...RETRIED })),
  ...[400, 422, 500].map((code) => ({ ...failing(String(code), { code }), ...REFUSED })),
  ...[301, 401, 403, 404, 405, 407, 408, 415, 425, 501, 505, 520].map((code) => ({
    ...failing(String(code), { code }),
    ...BLOCKED,
  })),
  { ...failing("too large", { code: 413 }), ...HALVED },
];

test.each([
  { protocol: "grpc", cases: OVER_GRPC },
  { protocol: "http", cases: OVER_HTTP },
] as const)("over $protocol each answer settles the spans by the OTLP rules", async (given) => {
  await using upstream = await startUpstream(given.protocol);
  await using program = await startProgram({ ...SETTINGS, FORWARD_ENDPOINT: upstream.endpoint });
  using client = openExportClient(program.grpcPort);
  const api = readApiClient(program.apiUrl);
  const fates: AnswerCase[] = [];
  let [seen, first, before] = [0, 1, ledgerOf()];

  for (const { name, answers } of given.cases) {
    await upstream.order({ next: answers });
    await client.export(requestOf(SPANS, first));
    const { spans } = await ledgerWhenEmpty(api);
    const { batches } = await upstream.order({});
    const delivered = spans.delivered - before.delivered;
    const undeliverable = spans.undeliverable - before.undeliverable;
    fates.push({ name, answers, batches: batches.slice(seen), delivered, undeliverable });
    [seen, first, before] = [batches.length, first + SPANS, spans];
  }
  const accepted = await upstream.acceptedSpans();

  expect(fates).toEqual([...given.cases]);
  expect(before.accepted).toBe(given.cases.length * SPANS);
  expect(before.delivered + before.undeliverable).toBe(before.accepted);
  expect(accepted).toHaveLength(before.delivered);
  expect(accepted).toEqual(accepted.toSorted((one, other) => one - other));
});

test.each([
  { protocol: "grpc", refusal: { code: status.UNAUTHENTICATED }, shown: "UNAUTHENTICATED: " },
  { protocol: "http", refusal: { code: 404 }, shown: "404: " },
] as const)("over $protocol an upstream that refuses access loses no span", async (given) => {
  await using upstream = await startUpstream(given.protocol);
  await using program = await startProgram({ ...SETTINGS, FORWARD_ENDPOINT: upstream.endpoint });
  using client = openExportClient(program.grpcPort);
  const api = readApiClient(program.apiUrl);

  await upstream.order({ usual: { kind: "fail", ...given.refusal } });
  for (let first = 1; first <= 10 * SPANS; first += SPANS) {
    await client.export(requestOf(SPANS, first));
  }
  const { error, hint } = await program.logged("forward_blocked");
  await triesAfter(upstream, 10);
  const ready = await (await fetch(`${program.apiUrl}/readyz`)).json();
  const { spans: meanwhile } = await api.stats();
  await upstream.order({ usual: { kind: "accept" } });
  const { spans } = await ledgerWhenEmpty(api);
  const { batches } = await upstream.order({});

  expect(error).toStartWith(given.shown);
  expect(hint).toContain("FORWARD_");
  expect(ready).toMatchObject({ status: "ready", forward: { state: "blocked" } });
  expect(ready).toHaveProperty("forward.last_error.hint", hint);
  expect(meanwhile).toMatchObject({ buffered: 10 * SPANS, undeliverable: 0 });
  expect(spans).toMatchObject({ delivered: 10 * SPANS, undeliverable: 0 });
  // One batch with spans is followed by empty requests only.
  expect(batches.slice(1, 10)).toEqual(Array<number>(9).fill(0));
  expect(await upstream.acceptedSpans()).toHaveLength(10 * SPANS);
});

/** Resolves when the upstream has received this many requests. */
async function triesAfter(upstream: RunningUpstream, count: number): Promise<void> {
  for (let seen = 0; seen < count;) seen = (await upstream.order({})).batches.length;
}

test.each([
  { protocol: "grpc", tooLarge: TOO_LARGE },
  { protocol: "http", tooLarge: { code: 413 } },
] as const)("over $protocol only the span that is too large by itself is lost", async (given) => {
  await using upstream = await startUpstream(given.protocol);
  await using program = await startProgram({ ...SETTINGS, FORWARD_ENDPOINT: upstream.endpoint });
  using client = openExportClient(program.grpcPort);

  const tooLarge = { kind: "fail", ...given.tooLarge } as const;
  await upstream.order({ next: Array.from({ length: 5 }, () => tooLarge) });
  await client.export(requestOf(SPANS));
  const { spans } = await ledgerWhenEmpty(readApiClient(program.apiUrl));
  const { batches } = await upstream.order({});
  const accepted = await upstream.acceptedSpans();

  expect(batches).toEqual([10, 5, 3, 2, 1, 1, 1, 2, 5]);
  expect(spans).toMatchObject({ accepted: SPANS, delivered: SPANS - 1, undeliverable: 1 });
  expect(accepted).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test.each([
  { name: "a RetryInfo", protocol: "grpc", code: status.UNAVAILABLE },
  { name: "a RetryInfo of exhaustion", protocol: "grpc", code: RESOURCE_EXHAUSTED },
  { name: "seconds in Retry-After", protocol: "http", code: 429 },
  { name: "a date in Retry-After", protocol: "http", code: 503, isDate: true },
] as const)("the delay in $name is respected", async ({ protocol, ...failure }) => {
  const afterMs = 3_000_000;
  await using upstream = await startUpstream(protocol);
  await using program = await startProgram({ ...SETTINGS, FORWARD_ENDPOINT: upstream.endpoint });
  using client = openExportClient(program.grpcPort);

  await upstream.order({ next: [{ kind: "fail", afterMs, ...failure }] });
  await client.export(requestOf(SPANS));
  const { pause_ms: pauseMs } = await program.logged("forward_backing_off");

  // Without the upstream's delay, the pause would be FORWARD_RETRY_MAX_MS at most. A date yields a
  // slightly shorter pause, because time passes before it is read.
  expect(pauseMs).toBeGreaterThan(afterMs / 2);
  expect(pauseMs).toBeLessThanOrEqual(afterMs);
});
