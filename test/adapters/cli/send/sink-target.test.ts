import { expect, test } from "bun:test";
import { sinkTarget } from "../../../../src/adapters/cli/send/sink-target.ts";
import { otlpJson } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { lengthDelimited, textBytes } from "../../../support/requests/byte-chunks.ts";
import type { SendOutcome } from "../../../../src/ports/span-sink.ts";
import { type FakeAnswer, FakeSink } from "../../../support/fakes/fake-sink.ts";
import { HandMovedSleep } from "../../../support/fakes/hand-moved-sleep.ts";
import {
  request,
  requestOf,
  resourceSpans,
  span,
} from "../../../support/requests/request-bytes.ts";
import { bytesField } from "../../../support/requests/wire-bytes.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import { requestOfEmptySpans } from "../../../support/requests/numbered-requests.ts";
import { spanDigests } from "../../../support/oracles/span-digests.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";
import { base64, filesIn, LINES, REQUESTS } from "../../../support/upstreams/sending.ts";

const file = filesIn(temporaryFolder());
const BINPB = file("spans.binpb", lengthDelimited(...REQUESTS));
const TOPIC = "kafka://broker:9092/spans";

const MISSING: SendOutcome = {
  outcome: "blocked",
  reason: "not_found",
  message: "UNKNOWN_TOPIC_OR_PARTITION (topic spans): missing",
  hint: "create the topic, or check its name in FORWARD_ENDPOINT",
};
const WRONG: SendOutcome = {
  outcome: "blocked",
  reason: "unauthenticated",
  message: "SASL_AUTHENTICATION_FAILED (topic spans): no",
  hint: "check FORWARD_SASL_PASSWORD_FILE",
};
const LOST: SendOutcome = { outcome: "retry", message: "ECONNREFUSED: connection refused" };
const DELIVERED: SendOutcome = { outcome: "delivered" };

/** Sends files to a topic whose sink answers so; the first question of all is answered with yes. */
async function sendTo(answer: FakeAnswer, argv: readonly string[] = [BINPB]) {
  const sink = new FakeSink(answer);
  const clock = new HandMovedSleep();
  const openSink = async () => ({ ok: true, sink }) as const;
  const end = await runCommands(["send", "--to", TOPIC, ...argv], { openSink, clock });
  return { ...end, sink, clock, batches: sink.sent.filter(({ spanCount }) => spanCount > 0) };
}

/** Answers questions with yes, and batches in this way. */
const batchesWith =
  (answer: FakeAnswer): FakeAnswer =>
  (batch) =>
    batch.spanCount === 0 ? DELIVERED : answer(batch);

test("each request is a batch with its bytes unchanged, and the sink is closed", async () => {
  const end = await sendTo(() => DELIVERED);

  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  expect(end.stdout).toStartWith("sent 6 spans in 3 requests");
  const sent = base64(end.batches.map((batch) => batch.request));
  expect(sent.toSorted()).toEqual(base64(REQUESTS).toSorted());
  expect(end.sink.isClosed).toBe(true);
});

test("OTLP/JSON is sent as protobuf", async () => {
  const end = await sendTo(() => DELIVERED, [file("spans.jsonl", LINES.join("\n"))]);

  expect(end).toMatchObject({ exitCode: 0 });
  const sent = end.batches.map((batch) => otlpJson(batch.request));
  expect(sent.toSorted()).toEqual(LINES.toSorted());
});

test("invalid spans are not sent, but counted and explained", async () => {
  const invalid = bytesField(2, bytesField(1, [1, 2, 3]));
  const mixed = request(resourceSpans("shop", span(1), invalid));
  const path = file("mixed.binpb", lengthDelimited(mixed, request(resourceSpans("a", invalid))));

  const end = await sendTo(() => DELIVERED, [path]);

  expect(end).toMatchObject({ exitCode: 1 });
  expect(end.stdout).toStartWith("sent 1 span in 2 requests");
  expect(end.stderr).toStartWith("spanring: 2 spans rejected\nspanring: 1 span was rejected: 1 x ");
  const sent = end.batches.map((batch) => batch.request);
  expect(spanDigests(sent)).toEqual(spanDigests([requestOf(1)]));
  // The question at the start has no spans either.
  expect(end.sink.sent).toHaveLength(2);
});

test("JSON that no protobuf can hold is refused, and the rest is sent", async () => {
  const wrong = LINES[1]!.replace('"name":"span 10"', '"kind":"none"');
  const path = file("wrong.jsonl", `${wrong}\n${LINES[0]}\n`);

  const end = await sendTo(() => DELIVERED, [path]);

  expect(end.exitCode).toBe(1);
  expect(end.stdout).toStartWith("sent 3 spans in 1 request");
  expect(end.stderr).toStartWith("spanring: 1 request with 1 span refused\nspanring: ");
  expect(end.stderr).toContain("kind");
});

test("spans that only the broker rejects are counted with its reason", async () => {
  const end = await sendTo(
    batchesWith(({ spanCount }) =>
      spanCount === 3
        ? { outcome: "partly_rejected", rejectedSpans: 1, message: "MESSAGE_TOO_LARGE" }
        : DELIVERED,
    ),
  );

  expect(end.exitCode).toBe(1);
  expect(end.stdout).toStartWith("sent 5 spans in 3 requests");
  expect(end.stderr).toBe("spanring: 1 span rejected\nspanring: MESSAGE_TOO_LARGE\n");
});

test("a batch that is too large is split", async () => {
  const path = file("large.bin", requestOf(1000));

  const end = await sendTo(
    batchesWith(({ spanCount }) =>
      spanCount > 300 ? { outcome: "too_large", message: "MESSAGE_TOO_LARGE" } : DELIVERED,
    ),
    [path],
  );

  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  expect(end.stdout).toStartWith("sent 1,000 spans in 4 requests");
});

test("a batch that the broker refuses is counted, and the rest is sent", async () => {
  const refusal = { outcome: "refused", reason: "invalid", message: "INVALID_RECORD" } as const;

  const end = await sendTo(batchesWith(({ spanCount }) => (spanCount === 3 ? refusal : DELIVERED)));

  expect(end.exitCode).toBe(1);
  expect(end.stderr).toBe("spanring: 1 request with 3 spans refused\nspanring: INVALID_RECORD\n");
});

test("a topic that does not exist is reported before a file is read", async () => {
  const end = await sendTo(() => MISSING, ["-"]);

  expect(end).toMatchObject({ exitCode: 3, stdout: "", batches: [] });
  expect(end.stderr).toBe(
    `spanring: cannot send to ${TOPIC}: UNKNOWN_TOPIC_OR_PARTITION (topic spans): missing\n` +
      "Create the topic, or check its name in --to.\n",
  );
  expect(end.sink.isClosed).toBe(true);
});

test.each([
  { name: "a topic that appears soon", answer: MISSING },
  { name: "a broker that appears soon", answer: LOST },
])("$name is waited for", async ({ answer }) => {
  let asked = 0;

  const end = await sendTo(() => ((asked += 1) < 4 ? answer : DELIVERED));

  expect(end).toMatchObject({ exitCode: 0 });
  expect(end.clock.sleptMs).toEqual([250, 500, 1_000]);
});

test("a wrong password is tried once, because more tries might lock the account", async () => {
  const end = await sendTo(() => WRONG);

  expect(end).toMatchObject({ exitCode: 3 });
  expect(end.sink.sent).toHaveLength(1);
  expect(end.stderr).toEndWith("\nCheck FORWARD_SASL_PASSWORD_FILE.\n");
});

test("a broker that does not answer in time is not asked again", async () => {
  const end = await sendTo(() => ({ outcome: "retry", message: "late", isTimeout: true }));

  expect(end).toMatchObject({ exitCode: 3 });
  expect(end.sink.sent).toHaveLength(1);
  expect(end.stderr).toEndWith(
    "late\nStart a broker there, or check the address, FORWARD_TLS_* and FORWARD_SASL_*.\n",
  );
});

test("a batch is tried six times; then the broker counts as lost", async () => {
  let batches = 0;

  const end = await sendTo(
    batchesWith(() => ((batches += 1) === 1 ? DELIVERED : LOST)),
    [file("two.binpb", lengthDelimited(REQUESTS[0], REQUESTS[1]))],
  );

  expect(end.exitCode).toBe(3);
  expect(batches).toBe(1 + 6);
  expect(end.stdout).toStartWith("sent 3 spans in 1 request");
  expect(end.stderr).toBe(
    `spanring: lost ${TOPIC}: ECONNREFUSED: connection refused; the rest was not sent\n`,
  );
});

test("a topic that accepts nothing any more ends the command with what to do", async () => {
  let batches = 0;

  const end = await sendTo(
    batchesWith(() => ((batches += 1) === 1 ? DELIVERED : MISSING)),
    [file("more.binpb", lengthDelimited(REQUESTS[0], REQUESTS[1]))],
  );

  expect(end.exitCode).toBe(3);
  expect(end.stderr).toEndWith(
    "missing; the rest was not sent\nCreate the topic, or check its name in --to.\n",
  );
});

test("Ctrl-C ends the question whether the topic exists", async () => {
  const stop = Promise.withResolvers<void>();
  const sink = new FakeSink(() => {
    stop.resolve();
    return "held";
  });

  const end = await runCommands(["send", "--to", TOPIC, BINPB], {
    openSink: async () => ({ ok: true, sink }),
    stopped: () => stop.promise,
  });

  expect(end).toMatchObject({ exitCode: 130, stdout: "" });
  expect(sink.sent).toHaveLength(1);
});

test("standard input can be sent", async () => {
  const sink = new FakeSink();
  const stdin = (async function* () {
    yield textBytes(LINES[0]!);
  })();

  const openSink = async () => ({ ok: true, sink }) as const;
  const end = await runCommands(["send", "--to", TOPIC, "-"], { openSink, stdin });

  expect(end).toMatchObject({ exitCode: 0 });
  expect(end.stdout).toStartWith("sent 3 spans in 1 request");
});

test("a request with more spans than can be checked is too large, so it is split", async () => {
  const bytes = requestOfEmptySpans(1_001);
  const { signal } = new AbortController();
  const sink = new FakeSink(() => DELIVERED);
  const target = await sinkTarget({ name: TOPIC, sink, clock: new HandMovedSleep(), signal });
  const contentType = "application/x-protobuf";
  const facts = { spanCount: 1_001_000, fileBytes: 0, earliestStartMs: () => undefined };

  expect(await target.attempt({ bytes, contentType, ...facts }, signal)).toMatchObject({
    outcome: "too_large",
  });
});
