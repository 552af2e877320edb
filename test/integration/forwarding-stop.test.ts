import { expect, test } from "bun:test";
import { ledgerOf } from "../support/oracles/ledger-of.ts";
import { openExportClient } from "../support/running/export-client.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { type RunningProgram, startProgram } from "../support/running/running-program.ts";
import { type RunningUpstream, startUpstream } from "../support/upstreams/running-upstream.ts";

// Goal: a stop sends buffered spans within the grace time, and no upstream delays it further.
// Method: every other wait would last a day.

const DAY_MS = String(24 * 60 * 60 * 1000);
const SPANS = 25;

const PATIENT = {
  FORWARD_MAX_DELAY_MS: DAY_MS,
  FORWARD_TIMEOUT_MS: DAY_MS,
  FORWARD_RETRY_INITIAL_MS: DAY_MS,
  FORWARD_RETRY_MAX_MS: DAY_MS,
};

test.each(["grpc", "http"] as const)(
  "over %s a stop sends spans that still wait for a full batch",
  async (protocol) => {
    await using upstream = await startUpstream(protocol);
    await using program = await startProgram({
      ...PATIENT,
      FORWARD_ENDPOINT: upstream.endpoint,
      FORWARD_BATCH_SPANS: "10",
      FORWARD_CONCURRENCY: "1",
      SHUTDOWN_GRACE_MS: "60000",
    });

    await sendTo(program);
    const exitCode = await program.stop();
    const { batches } = await upstream.order({});

    expect(exitCode).toBe(0);
    expect(batches).toEqual([10, 10, 5]);
    expect(await upstream.acceptedSpans()).toEqual(
      Array.from({ length: SPANS }, (_, at) => at + 1),
    );
    expect(lastLedger(program)).toEqual(
      ledgerOf({ received: SPANS, accepted: SPANS, delivered: SPANS }),
    );
  },
);

interface DeadUpstream {
  readonly name: string;
  readonly die: (upstream: RunningUpstream, unavailable: number) => Promise<unknown>;
}

const DEAD: readonly DeadUpstream[] = [
  { name: "never answers", die: (upstream) => upstream.order({ usual: { kind: "silent" } }) },
  { name: "is not running", die: (upstream) => upstream.kill() },
  {
    name: "requests a pause of an hour",
    die: (upstream, code) =>
      upstream.order({ usual: { kind: "fail", code, afterMs: 60 * 60 * 1000 } }),
  },
];

test.each(
  DEAD.flatMap((dead) => (["grpc", "http"] as const).map((protocol) => ({ ...dead, protocol }))),
)("over $protocol an upstream that $name does not delay a stop", async ({ protocol, die }) => {
  await using upstream = await startUpstream(protocol);
  await using program = await startProgram({
    ...PATIENT,
    FORWARD_ENDPOINT: upstream.endpoint,
    // All spans are or were in flight when the stop begins.
    FORWARD_MAX_DELAY_MS: "0",
    SHUTDOWN_GRACE_MS: "300",
  });

  await die(upstream, { grpc: 14, http: 503 }[protocol]);
  await sendTo(program);
  const exitCode = await program.stop();

  expect(exitCode).toBe(5);
  expect(lastLedger(program)).toEqual(
    ledgerOf({ received: SPANS, accepted: SPANS, buffered: SPANS }),
  );
  expect(program.log().filter(({ level }) => level === "ERROR")).toEqual([]);
});

// Goal: spans that cannot be delivered do not delay a stop by the grace time. Method: an upstream
// accepts only empty requests; the grace time and the longest pause are a day.
test("a stop does not wait for spans that the upstream keeps refusing", async () => {
  await using upstream = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) =>
      (await request.bytes()).length === 0
        ? new Response()
        : new Response("no span is good enough", { status: 400 }),
  });
  await using program = await startProgram({
    ...PATIENT,
    FORWARD_MAX_DELAY_MS: "0",
    FORWARD_RETRY_INITIAL_MS: "1",
    FORWARD_ENDPOINT: upstream.url.href,
    FORWARD_COMPRESSION: "none",
    SHUTDOWN_GRACE_MS: DAY_MS,
  });

  await sendTo(program);
  const blocked = await program.logged("forward_blocked");
  const ready = (await fetch(`${program.apiUrl}/readyz`)).json();
  const { forward } = (await ready) as { forward: { last_error: { hint: string } } };
  const exitCode = await program.stop();

  expect(exitCode).toBe(5);
  expect(String(blocked["error"])).toContain("no span is good enough");
  const hint = expect.stringContaining("the upstream refuses the remaining spans");
  expect([blocked["hint"], forward.last_error.hint]).toEqual([hint, hint]);
  expect(lastLedger(program)).toEqual(
    ledgerOf({ received: SPANS, accepted: SPANS, buffered: SPANS }),
  );
});

async function sendTo({ grpcPort }: RunningProgram): Promise<void> {
  using client = openExportClient(grpcPort);
  await client.export(requestOf(SPANS));
}

function lastLedger(program: RunningProgram): unknown {
  return program.log().findLast(({ event }) => event === "stopped")?.["spans"];
}
