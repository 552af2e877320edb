import { expect, test } from "bun:test";
import { readExportAnswer } from "../../../../src/adapters/cli/send/http-target.ts";
import { exportFailure, exportSuccess } from "../../../support/upstreams/otlp-receiver.ts";

const JSON_TYPE = "application/json";
const PROTOBUF_TYPE = "application/x-protobuf";
const SPANS = 8;

test.each([
  { name: "protobuf", answer: () => exportSuccess(PROTOBUF_TYPE), rejected: 0, message: "" },
  { name: "JSON", answer: () => exportSuccess(JSON_TYPE), rejected: 0, message: "" },
  {
    name: "protobuf with a partial success",
    answer: () => exportSuccess(PROTOBUF_TYPE, 7, "bad id"),
    rejected: 7,
    message: "bad id",
  },
  {
    name: "JSON with a partial success",
    answer: () => exportSuccess(JSON_TYPE, 7, "bad\u001bid"),
    rejected: 7,
    message: String.raw`bad\x1bid`,
  },
  {
    name: "JSON with an upper-case media type",
    answer: () =>
      new Response('{"partialSuccess":{"rejectedSpans":"7"}}', {
        headers: { "Content-Type": "Application/JSON; charset=utf-8" },
      }),
    rejected: 7,
    message: "",
  },
  {
    name: "JSON with a negative number of rejected spans",
    answer: () => exportSuccess(JSON_TYPE, -5),
    rejected: 0,
    message: "",
  },
  {
    name: "protobuf with more rejected spans than were sent",
    answer: () => exportSuccess(PROTOBUF_TYPE, 99),
    rejected: SPANS,
    message: "",
  },
  {
    name: "an unknown format",
    answer: () => new Response("ok"),
    rejected: 0,
    message: "its response cannot be read",
  },
  {
    name: "invalid JSON",
    answer: () => new Response("{", { headers: { "Content-Type": JSON_TYPE } }),
    rejected: 0,
    message: "its response cannot be read",
  },
])("a success in $name is read as accepted", async ({ answer, rejected, message }) => {
  expect(await readExportAnswer(answer(), SPANS)).toEqual({
    outcome: "accepted",
    rejectedSpans: rejected,
    message,
  });
});

test.each([
  { name: "protobuf", answer: () => exportFailure(400, "no"), message: "400: no" },
  {
    name: "JSON",
    answer: () => exportFailure(400, "no", { contentType: JSON_TYPE }),
    message: "400: no",
  },
  {
    name: "HTML",
    answer: () => new Response("<html>", { status: 404, statusText: "Not Found" }),
    message: "404: Not Found",
  },
  {
    name: "invalid JSON",
    answer: () =>
      new Response("{", {
        status: 400,
        statusText: "Bad Request",
        headers: { "Content-Type": JSON_TYPE },
      }),
    message: "400: Bad Request",
  },
])("a failure in $name is read as refused", async ({ answer, message }) => {
  expect(await readExportAnswer(answer(), SPANS)).toEqual({ outcome: "refused", message });
});

test.each([429, 502, 503, 504])("status %d is read as a reason to retry", async (status) => {
  expect(await readExportAnswer(exportFailure(status, "full"), SPANS)).toEqual({
    outcome: "retry",
    message: `${status}: full`,
  });
});

test("Retry-After may be a date", async () => {
  const retryAfter = new Date(Date.now() + 60_000).toUTCString();

  const answer = await readExportAnswer(exportFailure(503, "full", { retryAfter }), SPANS);

  expect((answer as { afterMs: number }).afterMs).toBeWithin(50_000, 60_001);
});

test.each(["-1", "1.5", "soon"])("Retry-After: %s is ignored", async (retryAfter) => {
  const answer = await readExportAnswer(exportFailure(503, "full", { retryAfter }), SPANS);

  expect(answer).toEqual({ outcome: "retry", message: "503: full" });
});
