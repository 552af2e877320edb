import { expect, test } from "bun:test";
import { firstSpanMeter, wholeMeter } from "../../../../src/adapters/cli/commands/span-answer.ts";
import { otlpJson } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { requestOf } from "../../../support/requests/request-bytes.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Splits the answer into two pieces at this offset. */
const inPieces = (answer: Uint8Array, at: number) => [answer.subarray(0, at), answer.subarray(at)];

test.each([
  { name: "nothing", answer: bytes(""), spans: 0 },
  { name: "a line end", answer: bytes("\n"), spans: 0 },
  { name: "JSON without spans", answer: bytes('{"resourceSpans":[]}\n'), spans: 0 },
  { name: "JSON with spans", answer: bytes(otlpJson(requestOf(3))), spans: 1 },
  { name: "bytes", answer: requestOf(3), spans: 1 },
])("$name is counted as $spans spans", ({ answer, spans }) => {
  const meter = firstSpanMeter();

  for (const piece of inPieces(answer, 10)) meter.add(piece);

  expect(meter.count()).toBe(spans);
});

test.each([
  { form: "ndjson", answer: bytes("{}\n{}\n"), spans: 2 },
  { form: "ndjson", answer: bytes("{}\n{}"), spans: 2 },
  { form: "ndjson", answer: bytes(""), spans: 0 },
  { form: "json", answer: bytes(otlpJson(requestOf(3))), spans: 3 },
  { form: "json", answer: bytes('{"resourceSpans":[]}\n'), spans: 0 },
  { form: "json", answer: bytes("{"), spans: 1 },
  { form: "otlp", answer: requestOf(3), spans: 3 },
  { form: "otlp", answer: bytes(""), spans: 0 },
  { form: "otlp", answer: bytes("<html>"), spans: 1 },
] as const)("an answer in the form $form is counted as $spans spans", ({ form, answer, spans }) => {
  const meter = wholeMeter(form);

  for (const piece of inPieces(answer, 1)) meter.add(piece);

  expect(meter.count()).toBe(spans);
});
