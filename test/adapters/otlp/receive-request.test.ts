import { expect, test } from "bun:test";
import { receiveSafely, noteAnswer } from "../../../src/adapters/otlp/receive-request.ts";
import type { Answer } from "../../../src/adapters/otlp/export-response.ts";
import { recordingProblems } from "../../support/fakes/problem-totals.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";

const REQUEST = Uint8Array.of(1, 2, 3);

test("the receipt of the receiver is returned unchanged", () => {
  const seen: Uint8Array[] = [];
  const failures: unknown[] = [];
  const receiver = {
    receive: (request: Uint8Array) => {
      seen.push(request);
      return { outcome: "malformed" as const, message: "bad" };
    },
  };

  const receipt = receiveSafely(REQUEST, { receiver, failed: (error) => failures.push(error) });

  expect(receipt).toEqual({ outcome: "malformed", message: "bad" });
  expect(seen).toEqual([REQUEST]);
  expect(failures).toEqual([]);
});

const ERROR = new Error("the lock is gone");

test.each([
  {
    name: "at once",
    receive: () => {
      throw ERROR;
    },
  },
  { name: "later", receive: () => Promise.reject(ERROR) },
])("an error of the receiver is concealed from the sender, $name", async ({ receive }) => {
  const failures: unknown[] = [];
  const counted: string[] = [];
  const receiver = {
    receive,
    turnedAway: (outcome: string) => void counted.push(outcome),
  };

  const failed = (failure: unknown) => failures.push(failure);
  const receipt = await receiveSafely(REQUEST, { receiver, failed });

  expect(receipt.outcome).toBe("failed");
  expect(JSON.stringify(receipt)).not.toContain("lock");
  expect(failures).toEqual([ERROR]);
  expect(counted).toEqual(["failed"]);
});

const SENDER = { protocol: "http", address: "10.0.0.7" } as const;

function noted(answer: Answer, signal?: "metrics" | "logs") {
  const problems = recordingProblems(new RecordingLogger());
  noteAnswer(problems, answer, { protocol: "http", peer: SENDER, signal });
  problems.close();
  return problems.list();
}

test.each([
  { answer: { outcome: "malformed", message: "why" }, reason: "malformed", detail: "why" },
  {
    answer: { outcome: "malformed", problem: "not_otlp_json", message: "why" },
    reason: "not_otlp_json",
    detail: "why",
  },
  {
    answer: { outcome: "malformed", problem: "broken_compression", message: "why" },
    reason: "broken_compression",
    detail: "why",
  },
  {
    answer: { outcome: "malformed", problem: "incomplete", message: "why" },
    reason: "incomplete",
    detail: "why",
  },
  { answer: { outcome: "malformed_frame", message: "why" }, reason: "malformed", detail: "why" },
  {
    answer: { outcome: "unsupported_encoding", message: "why" },
    reason: "unsupported_encoding",
    detail: "",
  },
  { answer: { outcome: "too_large", message: "why" }, reason: "too_large", detail: "why" },
  {
    answer: { outcome: "refused", message: "why", retryAfterMs: 1 },
    reason: "buffer_full",
    detail: "",
  },
  {
    answer: { outcome: "failed", message: "why", retryAfterMs: 1 },
    reason: "disk_failed",
    detail: "",
  },
  { answer: { outcome: "stopping", message: "why" }, reason: "stopping", detail: "" },
] as const)("$answer is recorded as $reason", ({ answer, reason, detail }) => {
  expect(noted(answer)).toMatchObject([{ ...SENDER, reason, count: 1, detail }]);
});

test("an accepted request without spans is recorded if it has unknown fields", () => {
  const unknown = "unknown keys: resource_spans";

  expect(noted({ outcome: "accepted", isEmpty: true, unknown })).toMatchObject([
    { ...SENDER, reason: "unknown_fields", count: 1, detail: unknown },
  ]);
  expect(noted({ outcome: "accepted", isEmpty: true })).toEqual([]);
});

test("each rejected span is counted", () => {
  const problems = noted({ outcome: "partly_rejected", rejectedSpans: 7, message: "why" });

  expect(problems).toMatchObject([{ ...SENDER, reason: "rejected", count: 7, detail: "why" }]);
});

test.each(["metrics", "logs"] as const)(
  "a fault in %s is recorded as unsupported, because no spans are lost",
  (signal) => {
    const broken = { outcome: "malformed", problem: "broken_compression", message: "why" } as const;

    const reason = `unsupported_${signal}`;
    expect(noted(broken, signal)).toMatchObject([{ ...SENDER, reason, count: 1, detail: "why" }]);
    expect(noted({ outcome: "accepted" }, signal)).toEqual([]);
  },
);

test.each<Answer>([
  { outcome: "accepted" },
  // These are recorded where they are detected, with more detail.
  { outcome: "failed", message: "" },
  { outcome: "busy", message: "", retryAfterMs: 1 },
  { outcome: "unknown_path", message: "" },
])("$outcome is not recorded by noteAnswer()", (answer) => {
  expect(noted(answer)).toEqual([]);
});

const STOPPING = { outcome: "stopping", message: "why" } as const;

test("the address of a peer is not asked for if nothing is recorded", () => {
  const problems = recordingProblems(new RecordingLogger());
  let asked = 0;
  const peer = {
    get address() {
      asked += 1;
      return SENDER.address;
    },
  };

  noteAnswer(problems, { outcome: "accepted" }, { protocol: "http", peer });
  const askedBefore = asked;
  noteAnswer(problems, STOPPING, { protocol: "http", peer });
  problems.close();

  expect([askedBefore, asked]).toEqual([0, 1]);
});
