import { status } from "@grpc/grpc-js";
import { expect, test } from "bun:test";
import type { ForwardAnswer } from "../../src/adapters/cli/render/stats-table.ts";
import { openExportClient } from "../support/running/export-client.ts";
import { fuzzRuns } from "../support/running/fuzz-runs.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { type RunningProgram, startProgram } from "../support/running/running-program.ts";
import { type RunningUpstream, startUpstream } from "../support/upstreams/running-upstream.ts";
import { ledgerWhen, ledgerWhenEmpty, watchLedger } from "../support/oracles/watched-ledger.ts";

// Goal: while the ring has room, no failure of an upstream loses a span. Method: spans arrive all
// the time, and the upstream fails and recovers, each time in another way.
//
//     SPANRING_FUZZ_FACTOR=100 bun test test/integration/forwarding-outage.test.ts
//
// makes each outage half a minute long.

const OUTAGE_MS = fuzzRuns(300);

const SETTINGS = {
  // The ring has room for all spans, and batches exceed what a cut connection lets through.
  MAX_BUFFER_SIZE: "2000000",
  MAX_BUFFER_BYTES: "256MiB",
  FORWARD_COMPRESSION: "none",
  FORWARD_MAX_DELAY_MS: "5",
  FORWARD_TIMEOUT_MS: "2000",
  FORWARD_RETRY_INITIAL_MS: "10",
  FORWARD_RETRY_MAX_MS: "50",
};

interface Outage {
  readonly name: string;
  readonly begin: (upstream: RunningUpstream) => Promise<unknown>;
  readonly end: (upstream: RunningUpstream) => Promise<unknown>;
}

const accept = (upstream: RunningUpstream) => upstream.order({ usual: { kind: "accept" } });
const open = (upstream: RunningUpstream) => upstream.order({ listen: "open" });

function outages(unavailable: number): Outage[] {
  const failure = { kind: "fail", code: unavailable } as const;
  return [
    { name: "refused", begin: (upstream) => upstream.order({ listen: "closed" }), end: open },
    {
      name: "silent",
      begin: (upstream) => upstream.order({ usual: { kind: "silent" } }),
      end: accept,
    },
    { name: "unavailable", begin: (upstream) => upstream.order({ usual: failure }), end: accept },
    { name: "cut", begin: (upstream) => upstream.order({ listen: "cut" }), end: open },
    {
      name: "killed",
      begin: (upstream) => upstream.kill(),
      end: (upstream) => upstream.comeBack(),
    },
  ];
}

test.each([
  { protocol: "grpc", unavailable: status.UNAVAILABLE },
  { protocol: "http", unavailable: 503 },
] as const)("over $protocol five outages lose no span", async ({ protocol, unavailable }) => {
  await using upstream = await startUpstream(protocol);
  await using program = await startProgram({ ...SETTINGS, FORWARD_ENDPOINT: upstream.endpoint });
  const api = readApiClient(program.apiUrl);
  const load = sendContinuously(program);

  const runOutages = async (): Promise<void> => {
    for (const { begin, end } of outages(unavailable)) {
      await outlast(program, { begin: () => begin(upstream), end: () => end(upstream) });
    }
    await load.stop();
  };
  const { readings, unbalanced } = await watchLedger(api, runOutages());
  const { spans } = await ledgerWhenEmpty(api);
  const accepted = await upstream.acceptedSpans();
  const { retried_spans: retried, in_flight: inFlight } = await forwardAnswer(program);

  const sent = await load.sent;
  const once = new Set(accepted);
  expect(unbalanced).toEqual([]);
  expect(readings).toBeGreaterThan(10);
  expect(spans).toMatchObject({ accepted: sent, delivered: sent, evicted: 0, undeliverable: 0 });
  expect(once.size).toBe(sent);
  expect(inFlight).toEqual({ batches: 0, spans: 0 });
  // Batches whose confirmation was lost arrive twice, but no more than the counter reports.
  expect(accepted.length).toBeGreaterThan(once.size);
  expect(accepted.length - once.size).toBeLessThanOrEqual(retried);
});

async function forwardAnswer({ apiUrl }: RunningProgram): Promise<ForwardAnswer> {
  const answer = await fetch(`${apiUrl}/api/stats`);
  return ((await answer.json()) as { forward: ForwardAnswer }).forward;
}

/** Lets the upstream fail until that is logged and the time is up, then waits for all spans. */
async function outlast(
  program: RunningProgram,
  outage: { readonly begin: () => Promise<unknown>; readonly end: () => Promise<unknown> },
): Promise<void> {
  const api = readApiClient(program.apiUrl);
  const failuresBefore = failuresIn(program);
  const untilMs = performance.now() + OUTAGE_MS;
  await outage.begin();
  await ledgerWhen(api, () => performance.now() > untilMs && failuresIn(program) > failuresBefore);
  const { spans } = await api.stats();
  await outage.end();
  await ledgerWhen(api, ({ spans: { delivered } }) => delivered >= spans.accepted);
}

function failuresIn(program: RunningProgram): number {
  return program.log().filter(({ event }) => event === "forward_backing_off").length;
}

const SPANS_OF_REQUEST = 20;

/** Sends requests with new spans, one at a time. */
function sendContinuously({ grpcPort }: RunningProgram) {
  const state = { isOver: false };
  const send = async (): Promise<number> => {
    using client = openExportClient(grpcPort);
    let sent = 0;
    for (; !state.isOver; sent += SPANS_OF_REQUEST) {
      await client.export(requestOf(SPANS_OF_REQUEST, sent + 1));
    }
    return sent;
  };
  const sent = send();
  const stop = async () => {
    state.isOver = true;
    await sent;
  };
  return { sent, stop };
}
