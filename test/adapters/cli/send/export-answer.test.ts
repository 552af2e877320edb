import { expect, test } from "bun:test";
import { readExportAnswer } from "../../../../src/adapters/cli/send/export-answer.ts";
import { exportFailure, exportSuccess } from "../../../support/otlp-receiver.ts";

const JSON_TYPE = "application/json";
const PROTOBUF_TYPE = "application/x-protobuf";

test.each([
  { name: "protobuf", answer: () => exportSuccess(PROTOBUF_TYPE), rejected: 0, message: "" },
  { name: "JSON", answer: () => exportSuccess(JSON_TYPE), rejected: 0, message: "" },
  {
    name: "protobuf, in part",
    answer: () => exportSuccess(PROTOBUF_TYPE, 7, "bad id"),
    rejected: 7,
    message: "bad id",
  },
  {
    name: "JSON, in part",
    answer: () => exportSuccess(JSON_TYPE, 7, "bad\u001bid"),
    rejected: 7,
    message: String.raw`bad\x1bid`,
  },
  {
    name: "what cannot be read",
    answer: () => new Response("<html>"),
    rejected: 0,
    message: "",
  },
  {
    name: "JSON that cannot be read",
    answer: () => new Response("{", { headers: { "Content-Type": JSON_TYPE } }),
    rejected: 0,
    message: "",
  },
])("a success in $name", async ({ answer, rejected, message }) => {
  expect(await readExportAnswer(answer())).toEqual({
    outcome: "accepted",
    rejectedSpans: rejected,
    message,
  });
});

test.each([
  { name: "protobuf", answer: () => exportFailure(400, "no"), message: "400 no" },
  {
    name: "JSON",
    answer: () => exportFailure(400, "no", { contentType: JSON_TYPE }),
    message: "400 no",
  },
  {
    name: "a page",
    answer: () => new Response("<html>", { status: 404, statusText: "Not Found" }),
    message: "404 Not Found",
  },
  {
    name: "JSON that cannot be read",
    answer: () => new Response("{", { status: 400, headers: { "Content-Type": JSON_TYPE } }),
    message: "400",
  },
])("a refusal in $name", async ({ answer, message }) => {
  expect(await readExportAnswer(answer())).toEqual({ outcome: "refused", message });
});

test.each([429, 502, 503, 504])("%d is to be sent again", async (status) => {
  expect(await readExportAnswer(exportFailure(status, "full"))).toEqual({
    outcome: "retry",
    message: `${status} full`,
  });
});

test("a date is as good as seconds", async () => {
  const retryAfter = new Date(Date.now() + 60_000).toUTCString();

  const answer = await readExportAnswer(exportFailure(503, "full", { retryAfter }));

  expect((answer as { afterMs: number }).afterMs).toBeWithin(50_000, 60_001);
});
