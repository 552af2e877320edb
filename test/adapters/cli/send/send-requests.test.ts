import { expect, test } from "bun:test";
import { newTally, sendRequests } from "../../../../src/adapters/cli/send/send-requests.ts";
import type { Attempt } from "../../../../src/adapters/cli/send/send-target.ts";
import { otlpJson } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { requestItem } from "../../../../src/adapters/otlp-files/read-requests.ts";
import type { FileRequest } from "../../../../src/adapters/otlp-files/file-request.ts";
import { lengthDelimited } from "../../../support/requests/byte-chunks.ts";
import { type Answer, stopFakeServersAfterEach } from "../../../support/fakes/fake-api.ts";
import { exportFailure } from "../../../support/upstreams/otlp-receiver.ts";
import {
  accept,
  base64,
  filesIn,
  LINES,
  manyRequests,
  REQUESTS,
  send,
} from "../../../support/upstreams/sending.ts";
import {
  attribute,
  request,
  requestOf,
  resourceSpans,
  span,
} from "../../../support/requests/request-bytes.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";
import { bytesField } from "../../../support/requests/wire-bytes.ts";

stopFakeServersAfterEach();

const file = filesIn(temporaryFolder());
const BINPB = file("spans.binpb", lengthDelimited(...REQUESTS));
const JSONL = file("spans.jsonl", LINES.join("\n"));
const BARE = file("bare.bin", REQUESTS[0]);
const MANY = file("many.binpb", manyRequests(50));

test("a request that is refused permanently is not retried, and the others are sent", async () => {
  let count = 0;
  const answer: Answer = (received) => {
    count += 1;
    return count === 2 ? exportFailure(400, "no trace request") : accept(received);
  };

  const end = await send([BINPB], answer);

  expect(end).toMatchObject({ exitCode: 1 });
  expect(end.requestLines).toHaveLength(3);
  const [refused, reason] = end.stderr.split("\n");
  expect(refused).toMatch(/^spanring: 1 request with \d spans? refused$/);
  expect(reason).toBe("spanring: the receiver says: 400: no trace request");
});

/** Accepts bodies up to this size, and refuses larger ones as a receiver does. */
const acceptUpTo =
  (maxBytes: number, status = 413): Answer =>
  (received) =>
    received.body.length <= maxBytes
      ? accept(received)
      : exportFailure(status, "too long", { code: RESOURCE_EXHAUSTED });

const RESOURCE_EXHAUSTED = 8;
const LARGE = file("large.jsonl", `${otlpJson(requestOf(1000))}\n`.repeat(3));
const LARGE_BARE = file("large.bin", requestOf(4000));

test.each([
  { path: LARGE, spans: "3,000", status: 413 },
  { path: LARGE_BARE, spans: "4,000", status: 413 },
  { path: LARGE_BARE, spans: "4,000", status: 400 },
])("a request too large for the receiver ($status) is split", async (each) => {
  const end = await send([each.path], acceptUpTo(40_000, each.status));

  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  expect(end.stdout).toStartWith(`sent ${each.spans} spans in `);
  const accepted = end.requests.filter(({ body }) => body.length <= 40_000);
  expect(accepted.length).toBeWithin(3, 20);
});

test("a size that was refused is not tried again", async () => {
  const many = file("many-large.jsonl", `${otlpJson(requestOf(1000))}\n`.repeat(20));

  const end = await send([many], acceptUpTo(80_000));

  const refused = end.requests.filter(({ body }) => body.length > 80_000);
  expect(end.stdout).toStartWith("sent 20,000 spans in 40 requests");
  expect(refused.length).toBeWithin(1, 5);
});

test("only the span that is too large for the receiver is refused", async () => {
  const long = span(7, bytesField(9, attribute("long", "x".repeat(1000))));
  const path = file("long.bin", request(resourceSpans("shop", span(1), span(2), long, span(3))));

  const end = await send([path], acceptUpTo(600));

  expect(end.exitCode).toBe(1);
  expect(end.stdout).toStartWith("sent 3 spans in ");
  expect(end.stderr).toBe(
    "spanring: 1 request with 1 span refused\nspanring: the receiver says: 413: too long\n",
  );
});

test.each([429, 502, 503, 504])(
  "a request refused with the retryable status %d is sent again",
  async (status) => {
    let count = 0;
    const answer: Answer = (received) => {
      count += 1;
      return count < 4 ? exportFailure(status, "full") : accept(received);
    };

    const end = await send([BARE], answer);

    expect(end).toMatchObject({ exitCode: 0, stderr: "" });
    expect(end.clock.sleptMs).toEqual([250, 500, 1000]);
    expect(new Set(end.bodies)).toEqual(new Set(base64([REQUESTS[0]])));
  },
);

test.each([
  { retryAfter: "2", sleptMs: 2000 },
  { retryAfter: "86400", sleptMs: 30_000 },
  { retryAfter: "Thu, 01 Jan 1970 00:00:00 GMT", sleptMs: 0 },
  { retryAfter: "soon", sleptMs: 250 },
  { retryAfter: "-1", sleptMs: 250 },
  { retryAfter: "1.5", sleptMs: 250 },
])("Retry-After: $retryAfter causes a pause of $sleptMs ms", async ({ retryAfter, sleptMs }) => {
  let count = 0;
  const answer: Answer = (received) => {
    count += 1;
    return count === 1 ? exportFailure(503, "full", { retryAfter }) : accept(received);
  };

  const end = await send([BARE], answer);

  expect(end.exitCode).toBe(0);
  expect(end.clock.sleptMs).toEqual([sleptMs]);
});

test.each([
  { rejectedSpans: -5, stdout: "sent 3 spans in 1 request", stderr: "" },
  {
    rejectedSpans: 99,
    stdout: "sent 0 spans in 1 request",
    stderr: "spanring: 3 spans rejected\n",
  },
])("a report of $rejectedSpans rejected spans out of three is corrected", async (each) => {
  const headers = { "Content-Type": "application/json" };
  const partialSuccess = { rejectedSpans: String(each.rejectedSpans) };

  const end = await send(
    [BARE],
    () => new Response(JSON.stringify({ partialSuccess }), { headers }),
  );

  expect(end.stdout).toStartWith(each.stdout);
  expect(end.stderr).toBe(each.stderr);
});

test("a redirect is not followed, because it would lose the spans", async () => {
  const end = await send([BARE], ({ method }) =>
    method === "GET"
      ? new Response()
      : new Response(null, { status: 301, headers: { Location: "/elsewhere" } }),
  );

  expect(end).toMatchObject({ exitCode: 1 });
  expect(end.stderr).toContain("301: redirects are not followed; this one leads to /elsewhere\n");
});

test("sending stops if the receiver keeps refusing, and the rest is not sent", async () => {
  const contentType = "application/json";

  const end = await send([MANY], () => exportFailure(503, "full", { contentType }));

  expect(end.exitCode).toBe(1);
  expect(end.requestLines.length).toBeLessThanOrEqual(4 * 6);
  expect(end.stdout).toStartWith("sent 0 spans in 0 requests");
  expect(end.stderr).toContain("the receiver says: 503: full\n");
  expect(end.stderr).toContain("which keeps refusing requests; the rest was not sent\n");
});

test("at most four requests are in flight", async () => {
  let [now, most] = [0, 0];
  const answer: Answer = async (received) => {
    now += 1;
    most = Math.max(most, now);
    await new Promise(setImmediate);
    now -= 1;
    return await accept(received);
  };

  const end = await send([MANY], answer);

  expect(end.requestLines).toHaveLength(50);
  expect(most).toBeWithin(1, 5);
});

test("with --rate, a request is sent after the time that the earlier spans take", async () => {
  const end = await send(["--rate", "30", BINPB]);

  expect(end.exitCode).toBe(0);
  // Requests of 3, 1 and 2 spans, of 33 ms each; no pause follows the last one.
  expect(end.clock.sleptMs.map(Math.round)).toEqual([100, 33]);
  expect(end.bodies.toSorted()).toEqual(base64(REQUESTS).toSorted());
});

test.each([
  { rate: "10", slices: 6, sleptMs: [100, 100, 100, 100, 100] },
  { rate: "2.5", slices: 6, sleptMs: [400, 400, 400, 400, 400] },
  { rate: "20", slices: 4, sleptMs: [100, 50, 50] },
])("at $rate spans a second, no request has more than 100 ms of spans", async (each) => {
  const protobuf = await send(["--rate", each.rate, BINPB]);
  const json = await send(["--rate", each.rate, JSONL]);

  for (const end of [protobuf, json]) {
    expect(end.exitCode).toBe(0);
    expect(end.stdout).toStartWith(`sent 6 spans in ${each.slices} requests`);
    expect(end.clock.sleptMs.map(Math.round)).toEqual([...each.sleptMs]);
  }
});

const timed = (unixMs: number) =>
  JSON.stringify({
    resourceSpans: [
      { scopeSpans: [{ spans: [{ name: "x", startTimeUnixNano: `${unixMs}000000` }] }] },
    ],
  });
const GAPS = file(
  "gaps.jsonl",
  [1_753_000_000_000, 1_753_000_002_000, 1_753_000_001_000, 1_753_000_005_000]
    .map(timed)
    .join("\n"),
);

test.each([
  { pace: ["--pace"], sleptMs: [2000, 3000] },
  { pace: ["--pace", "10x"], sleptMs: [200, 300] },
  { pace: ["--pace=0.5x"], sleptMs: [4000, 6000] },
])("$pace scales the gaps between the original times", async ({ pace, sleptMs }) => {
  const end = await send([...pace, GAPS]);

  expect(end.exitCode).toBe(0);
  expect(end.clock.sleptMs).toHaveLength(2);
  for (const [at, ms] of sleptMs.entries()) expect(end.clock.sleptMs[at]).toBeCloseTo(ms, 0);
});

const BUSY: Attempt = { outcome: "retry", message: "busy", afterMs: 20_000 };
const BLOCKED: Attempt = { outcome: "blocked", message: "no", hint: "set a token" };

test.each([
  { name: "Ctrl-C", answers: [BUSY], isInterrupted: true, reason: "interrupted" },
  { name: "another one", answers: [BUSY, BLOCKED], isInterrupted: false, reason: "blocked" },
] as const)("a request is not tried again if $name ends sending during its pause", async (each) => {
  const given = new AbortController();
  const last = Promise.withResolvers<void>();
  let attempts = 0;
  const target = {
    name: "",
    speaker: "",
    advice: "",
    exhausted: "refusing",
    attempt: async () => {
      attempts += 1;
      if (attempts === each.answers.length) last.resolve();
      return each.answers[attempts - 1] ?? BUSY;
    },
    close: async () => {},
  } as const;
  const sleep = async (durationMs: number): Promise<void> => {
    if (durationMs !== 20_000) await new Promise(() => {});
    await last.promise;
    if (each.isInterrupted) given.abort();
  };
  const requests = async function* () {
    for (const at of each.answers.keys()) yield requestItem(requestOf(1 + at), 0) as FileRequest;
  };
  const tally = newTally();

  await sendRequests(requests(), tally, {
    target,
    pacing: { maxSpans: Infinity, dueMs: () => 0 },
    clock: { monotonicMs: () => 0, sleep },
    signal: given.signal,
    progressed: () => {},
  });

  expect(tally.end?.reason).toBe(each.reason);
  expect(attempts).toBe(each.answers.length);
});
