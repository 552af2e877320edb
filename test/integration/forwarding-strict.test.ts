import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openExportClient } from "../support/running/export-client.ts";
import { fuzzRuns } from "../support/running/fuzz-runs.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { attribute, request, resourceSpans, span } from "../support/requests/request-bytes.ts";
import { type RunningProgram, startProgram } from "../support/running/running-program.ts";
import {
  MISSING_KINDS,
  STRICT_KINDS,
  type StrictKind,
  type StrictUpstream,
} from "../support/upstreams/strict-upstream.ts";
import { notRun } from "../support/running/not-run.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { ledgerWhen, ledgerWhenEmpty } from "../support/oracles/watched-ledger.ts";
import { bytesField } from "../support/requests/wire-bytes.ts";

// Goal: strict receivers, which refuse a whole request because of one span, receive every other
// span, and a refusal of access loses none. Method: 2,000 spans a second arrive while grpc-go and
// Python's protobuf answer.
//
//     SPANRING_FUZZ_FACTOR=74 bun test test/integration/forwarding-strict.test.ts
//
// makes each part last 74 seconds.

const SECONDS = fuzzRuns(1);
const TESTS_OF_KIND = { "grpc-go": 4, "python-protobuf": 3 };

for (const name of MISSING_KINDS) {
  const count = TESTS_OF_KIND[name];
  notRun(count, `${name} is missing; see scripts/setup.sh`);
}

const SETTINGS = {
  MAX_BUFFER_SIZE: "1000000",
  MAX_BUFFER_BYTES: "512MiB",
  FORWARD_RETRY_INITIAL_MS: "100",
  FORWARD_RETRY_MAX_MS: "1000",
};

const SPANS_OF_REQUEST = 20;
const REQUESTS_PER_SECOND = 100;
const FIRST_BAD = 2 ** 30;

/** Returns a span with an attribute in Latin-1, whose request every strict receiver refuses. */
const badSpan = (number: number): number[] =>
  span(FIRST_BAD + number, bytesField(9, bytesField(1, "city"), bytesField(2, LATIN_1)));
const LATIN_1 = bytesField(1, [0x43, 0x6f, 0x67, 0x6e, 0x61, 0x63, 0xe9]);

interface Sent {
  readonly good: number;
  readonly bad: number;
}

/** Sends 2,000 good spans a second and, with `bad`, one bad span a second beside them. */
async function sendFor(program: RunningProgram, seconds: number, bad = false): Promise<Sent> {
  using client = openExportClient(program.grpcPort);
  const startedMs = performance.now();
  const sent = { good: 0, bad: 0 };
  for (let at = 0; at < seconds * REQUESTS_PER_SECOND; at += 1) {
    const spans = Array.from({ length: SPANS_OF_REQUEST }, () =>
      span((sent.good += 1), bytesField(9, attribute("url.path", "/api/v1/orders"))),
    );
    if (bad && at % REQUESTS_PER_SECOND === 7) spans.splice(5, 0, badSpan((sent.bad += 1)));
    await client.export(request(resourceSpans("shop", ...spans)));
    await Bun.sleep(startedMs + ((at + 1) * 1_000) / REQUESTS_PER_SECOND - performance.now());
  }
  return sent;
}

async function start(upstream: StrictUpstream, settings: Record<string, string> = {}) {
  const env = { ...SETTINGS, ...settings, FORWARD_ENDPOINT: upstream.endpoint };
  return await startProgram(env);
}

/** Resolves when the upstream has received this many more empty requests. */
async function probed(upstream: StrictUpstream, probes: number): Promise<void> {
  const { empty } = await upstream.order();
  for (let now = empty; now < empty + probes;) ({ empty: now } = await upstream.order());
}

test.each(STRICT_KINDS)(
  "$name receives every span except the bad ones",
  async (kind: StrictKind) => {
    await using upstream = await kind.start();
    await using program = await start(upstream);
    const seconds = Math.max(3, SECONDS);

    const sent = await sendFor(program, seconds, true);
    const { spans } = await ledgerWhenEmpty(readApiClient(program.apiUrl));
    const { spans: received, unique } = await upstream.order();

    expect(sent).toEqual({ good: seconds * 2_000, bad: seconds });
    expect(spans).toMatchObject({ delivered: sent.good, undeliverable: sent.bad, evicted: 0 });
    expect([received, unique]).toEqual([sent.good, sent.good]);
    // The upstream did not fail, so that forwarding did not pause.
    const events = program.log().map(({ event }) => event);
    expect(events).not.toContain("forward_blocked");
    expect(events).not.toContain("forward_backing_off");
  },
);

test.each(STRICT_KINDS)("$name without a service at its path loses no span", async (kind) => {
  await using upstream = await kind.start();
  await using program = await start(upstream);
  const api = readApiClient(program.apiUrl);

  await upstream.order({ code: kind.notFound });
  const { good } = await sendFor(program, SECONDS);
  await probed(upstream, 3);
  const { spans: meanwhile } = await api.stats();
  const { withSpans } = await upstream.order({ code: 0 });
  const { spans } = await ledgerWhenEmpty(api);
  const { unique } = await upstream.order();

  expect(meanwhile).toMatchObject({ buffered: good, undeliverable: 0, evicted: 0 });
  expect(spans).toMatchObject({ delivered: good, undeliverable: 0, evicted: 0 });
  expect(unique).toBe(good);
  // No more batches than were in flight when the refusal arrived.
  expect(withSpans).toBeLessThanOrEqual(4);
  const { hint } = await program.logged("forward_blocked");
  expect(hint).toContain("FORWARD_ENDPOINT");
});

test.each(STRICT_KINDS)("$name receives all spans after a token was rotated", async (kind) => {
  await using upstream = await kind.start();
  const file = join(temporaryFolder(), "headers");
  writeFileSync(file, "authorization=first");
  await upstream.order({ token: "first" });
  await using program = await start(upstream, { FORWARD_HEADERS_FILE: file });
  const api = readApiClient(program.apiUrl);

  const before = await sendFor(program, SECONDS);
  await upstream.order({ token: "second" });
  const during = await sendFor(program, SECONDS);
  const { hint } = await program.logged("forward_blocked");
  writeFileSync(file, "authorization=second");
  const { spans } = await ledgerWhenEmpty(api);

  const all = before.good + during.good;
  expect(spans).toMatchObject({ delivered: all, undeliverable: 0, evicted: 0 });
  expect(hint).toContain("FORWARD_HEADERS_FILE");
  const { files } = await program.logged("forward_reloaded");
  expect(files).toEqual(["FORWARD_HEADERS_FILE"]);
});

const WITHOUT_GZIP = STRICT_KINDS.filter(({ protocol }) => protocol === "grpc");

test.each(WITHOUT_GZIP)(
  "$name without gzip loses no span and is logged with a hint",
  async (kind) => {
    const upstream = await kind.start({ gzip: false });
    await using program = await start(upstream);
    const api = readApiClient(program.apiUrl);

    const { good } = await sendFor(program, SECONDS);
    const { error, hint } = await program.logged("forward_blocked");
    await ledgerWhen(api, ({ spans: { buffered } }) => buffered === good);
    const { spans: meanwhile } = await api.stats();
    const port = Number(new URL(upstream.endpoint).port);
    await upstream[Symbol.asyncDispose]();
    await using repaired = await kind.start({ port });
    const { spans } = await ledgerWhenEmpty(api);

    expect(error).toStartWith("UNIMPLEMENTED: ");
    expect(hint).toContain("FORWARD_COMPRESSION");
    expect(meanwhile).toMatchObject({ delivered: 0, undeliverable: 0, evicted: 0 });
    expect(spans).toMatchObject({ delivered: good, undeliverable: 0, evicted: 0 });
    expect(await repaired.order()).toMatchObject({ unique: good });
  },
);
