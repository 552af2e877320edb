import { afterEach, describe, expect, test } from "bun:test";
import { ProtobufSpanCodec } from "../../src/adapters/otlp/span-codec.ts";
import type { TraceSpan } from "../../src/domain/trace-span.ts";
import type { SendOutcome, SpanBatch, SpanSink } from "../../src/ports/span-sink.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { batchOf, never } from "../support/requests/span-batch.ts";

/** How an upstream responds to every request. */
export type UpstreamAnswer =
  | { readonly kind: "accept"; readonly warning?: string }
  | { readonly kind: "reject"; readonly rejectedSpans: number; readonly message: string }
  | { readonly kind: "busy"; readonly message: string; readonly afterMs?: number }
  | { readonly kind: "too_large"; readonly message: string }
  | { readonly kind: "invalid"; readonly message: string }
  /** It accepts the request and never responds; the sink waits this long, or a minute. */
  | { readonly kind: "silent"; readonly timeoutMs?: number };

/** A sink and its upstream. */
export interface SinkAndUpstream {
  readonly sink: SpanSink;
  /** Resolves to the requests that arrived, in any order and with any response. */
  received(): Promise<Uint8Array[]>;
  /** Resolves when this many requests have arrived. */
  arrived(count: number): Promise<void>;
  /** Stops the upstream; the other function restarts it at the same address. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  stop(): Promise<void>;
}

export type MakeSink = (answer: UpstreamAnswer) => Promise<SinkAndUpstream>;

const started: SinkAndUpstream[] = [];

async function start(make: MakeSink, answer: UpstreamAnswer): Promise<SinkAndUpstream> {
  const parts = await make(answer);
  started.push(parts);
  return parts;
}

function stopAfterEach(): void {
  afterEach(async () => {
    for (const { sink, stop } of started.splice(0)) {
      await sink.close();
      await stop();
    }
  });
}

function hex(requests: readonly Uint8Array[]): string[] {
  return requests.map((request) => Buffer.from(request).toString("hex")).toSorted();
}

/** Returns the spans of requests that arrived in order, each with its resource and scope. */
function spansIn(requests: readonly Uint8Array[]): TraceSpan[] {
  return new ProtobufSpanCodec().decode(new Uint8Array(Buffer.concat(requests)));
}

/** Tests the contract of every `SpanSink`. It is run on every implementation, including fakes. */
export function describeSpanSink(name: string, make: MakeSink): void {
  describe(name, () => {
    stopAfterEach();
    describeDelivery(make);
    describeAbsence(make);
  });
}

/** Tests the additional contract of a sink whose upstream is a receiver that responds. */
export function describeAnswers(name: string, make: MakeSink): void {
  describe(`${name}, with the responses of its upstream`, () => {
    stopAfterEach();
    describeVerdicts(make);
    describeGivingUp(make);
  });
}

/** Tests the additional contract of a sink whose upstream responds, but not in words of OTLP. */
export function describeSilence(name: string, make: MakeSink): void {
  describe(`${name}, whose upstream may be silent`, () => {
    stopAfterEach();
    describeGivingUp(make);
  });
}

function describeDelivery(make: MakeSink): void {
  test("a delivered batch arrives byte for byte", async () => {
    const { sink, received } = await start(make, { kind: "accept" });
    const batches = [batchOf(3), batchOf(1, 10)];

    const outcomes = [];
    for (const batch of batches) outcomes.push(await sink.send(batch, never));

    expect(outcomes).toEqual([{ outcome: "delivered" }, { outcome: "delivered" }]);
    expect(hex(await received())).toEqual(hex(batches.map(({ request }) => request)));
  });

  test("many batches at a time all arrive, each once", async () => {
    const { sink, received } = await start(make, { kind: "accept" });
    const batches = Array.from({ length: 20 }, (_, at) => batchOf(2, 1 + at * 2));

    const outcomes = await Promise.all(batches.map((batch) => sink.send(batch, never)));

    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(["delivered"]));
    expect(hex(await received())).toEqual(hex(batches.map(({ request }) => request)));
  });

  test("every span of a large batch arrives, in order, in one request or in several", async () => {
    const { sink, received } = await start(make, { kind: "accept" });
    const batch = batchOf(20_000);

    expect(await sink.send(batch, never)).toEqual({ outcome: "delivered" });
    expect(spansIn(await received())).toEqual(spansIn([batch.request]));
  });

  test("nothing is read of a batch once it is delivered", async () => {
    const { sink, received } = await start(make, { kind: "accept" });
    const batch = batchOf(2_000);
    const expected = spansIn([batch.request.slice()]);

    await sink.send(batch, never);
    batch.request.fill(0);
    batch.request.buffer.transfer(0);

    expect(spansIn(await received())).toEqual(expected);
  });

  test("a batch that is cancelled before it is sent does not arrive", async () => {
    const { sink, received } = await start(make, { kind: "accept" });

    const outcome = await sink.send(batchOf(1), AbortSignal.abort());

    expect(outcome).toMatchObject({ outcome: "retry" });
    expect(await received()).toEqual([]);
  });
}

function describeAbsence(make: MakeSink): void {
  test("a batch is retryable without an upstream, and arrives once it is up", async () => {
    const { sink, received, goAway, comeBack } = await start(make, { kind: "accept" });
    await sink.send(batchOf(1), never);
    await goAway();

    const without = await sink.send(batchOf(2, 10), never);
    await comeBack();
    const after = await sendUntilSettled(sink, batchOf(2, 10));

    expect(without.outcome).toBe("retry");
    expect(Buffer.byteLength(without.message ?? "")).toBeWithin(10, 257);
    expect(after).toEqual({ outcome: "delivered" });
    expect(hex(await received())).toContain(hex([requestOf(2, 10)])[0]!);
  });

  test("a closed sink sends nothing and may be closed again", async () => {
    const { sink, received } = await start(make, { kind: "accept" });
    await sink.close();

    const outcome = await sink.send(batchOf(1), never);
    await sink.close();

    expect(outcome).toMatchObject({ outcome: "retry" });
    expect(await received()).toEqual([]);
  });
}

/**
 * Sends until the batch is settled. Reconnecting takes its own time; each round is one network
 * round trip.
 */
async function sendUntilSettled(sink: SpanSink, batch: SpanBatch): Promise<SendOutcome> {
  for (;;) {
    const outcome = await sink.send(batch, never);
    if (outcome.outcome !== "retry") return outcome;
  }
}

function describeVerdicts(make: MakeSink): void {
  test.each<{ name: string; answer: UpstreamAnswer; outcome: SendOutcome }>([
    {
      name: "a warning is returned with a delivered batch",
      answer: { kind: "accept", warning: "use fewer attributes" },
      outcome: { outcome: "delivered", message: "use fewer attributes" },
    },
    {
      name: "rejected spans are counted",
      answer: { kind: "reject", rejectedSpans: 2, message: "no trace id" },
      outcome: { outcome: "partly_rejected", rejectedSpans: 2, message: "no trace id" },
    },
    {
      name: "no more spans are rejected than were sent",
      answer: { kind: "reject", rejectedSpans: 1_000_000, message: "" },
      outcome: { outcome: "partly_rejected", rejectedSpans: 3, message: "" },
    },
    {
      name: "a negative number of rejected spans counts as none",
      answer: { kind: "reject", rejectedSpans: -7, message: "so much the better" },
      outcome: { outcome: "delivered", message: "so much the better" },
    },
  ])("$name", async ({ answer, outcome }) => {
    const { sink } = await start(make, answer);

    expect(await sink.send(batchOf(3), never)).toEqual(outcome);
  });

  test.each<{ name: string; answer: UpstreamAnswer; outcome: object }>([
    {
      name: "the answer of a busy upstream is retryable",
      answer: { kind: "busy", message: "full" },
      outcome: { outcome: "retry", message: expect.stringContaining("full") },
    },
    {
      name: "a busy upstream may specify a delay",
      answer: { kind: "busy", message: "full", afterMs: 7000 },
      outcome: { outcome: "retry", afterMs: 7000, message: expect.stringContaining("full") },
    },
    {
      name: "a batch that is too large is distinguished from a refused one",
      answer: { kind: "too_large", message: "Received message larger than max (9 vs. 4)" },
      outcome: { outcome: "too_large", message: expect.stringContaining("larger than max") },
    },
    {
      name: "a refused batch is not retryable and has a reason",
      answer: { kind: "invalid", message: "no request" },
      outcome: {
        outcome: "refused",
        reason: "invalid",
        message: expect.stringContaining("no request"),
      },
    },
  ])("$name", async ({ answer, outcome }) => {
    const { sink, received } = await start(make, answer);

    expect(await sink.send(batchOf(3), never)).toEqual(outcome as SendOutcome);
    expect(await received()).toHaveLength(1);
  });

  test("a retryable answer without a delay has none", async () => {
    const { sink } = await start(make, { kind: "busy", message: "full" });

    const outcome = await sink.send(batchOf(1), never);

    expect(outcome).not.toHaveProperty("afterMs");
    expect(outcome).not.toHaveProperty("isTimeout");
  });

  test.each<{ name: string; answer: UpstreamAnswer }>([
    { name: "warning", answer: { kind: "accept", warning: `\u001b[2J${"x".repeat(5000)}` } },
    {
      name: "rejection",
      answer: { kind: "reject", rejectedSpans: 1, message: `\u001b[2J${"x".repeat(5000)}` },
    },
  ])("the text of a $name is escaped and truncated", async ({ answer }) => {
    const { sink } = await start(make, answer);

    const { message = "" } = await sink.send(batchOf(1), never);

    expect(message).toStartWith("\\x1b[2Jxxx");
    expect(Buffer.byteLength(message)).toBe(256);
  });
}

function describeGivingUp(make: MakeSink): void {
  test("a batch that is cancelled while it is sent is retryable", async () => {
    const { sink, arrived } = await start(make, { kind: "silent" });
    const giving = new AbortController();
    const sending = sink.send(batchOf(1), giving.signal);
    await arrived(1);

    giving.abort();
    const outcome = await sending;

    expect(outcome).toMatchObject({ outcome: "retry" });
    expect(outcome).not.toHaveProperty("isTimeout");
  });

  test("a batch that times out is retryable, and the outcome is marked as a timeout", async () => {
    const { sink } = await start(make, { kind: "silent", timeoutMs: 30 });

    expect(await sink.send(batchOf(1), never)).toMatchObject({ outcome: "retry", isTimeout: true });
  });

  test("closing abandons pending sends", async () => {
    const { sink, arrived } = await start(make, { kind: "silent" });
    const sending = [sink.send(batchOf(1), never), sink.send(batchOf(1), never)];
    await arrived(2);

    await sink.close();

    expect(await Promise.all(sending)).toMatchObject([{ outcome: "retry" }, { outcome: "retry" }]);
  });

  test("a batch is retryable if the upstream dies before it answers", async () => {
    const { sink, arrived, goAway } = await start(make, { kind: "silent" });
    const sending = sink.send(batchOf(1), never);
    await arrived(1);

    await goAway();

    expect(await sending).toMatchObject({ outcome: "retry" });
  });
}
