import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { requestFromJson } from "../../../../src/adapters/otlp/json/json-request.ts";
import { otlpJson } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { ProtobufSpanCodec } from "../../../../src/adapters/otlp/span-codec.ts";
import { walkRequest } from "../../../../src/domain/wire/request-walk.ts";
import { NO_FAULT } from "../../../../src/domain/wire/walk-fault.ts";
import { createWalkedRequest } from "../../../../src/domain/wire/walked-request.ts";
import { disagreement } from "../../../support/requests/decoded-request.ts";
import { fuzzRuns } from "../../../support/running/fuzz-runs.ts";
import { GOLDEN_NAMES, goldenRequest } from "../../../support/requests/golden-requests.ts";
import { byteChangeArbitrary, changed } from "../../../support/requests/request-arbitrary.ts";
import { traceSpanArbitrary } from "../../../support/requests/trace-span-arbitrary.ts";
import { randomFrom, wildJson } from "../../../support/requests/wild-json.ts";

// Goal: only JSON is accepted, and the result is always a valid request. Method: tables of invalid
// JSON, all truncations and damaged bytes, with JSON.parse, the walk and protobufjs as oracles.

const limits = { nestingDepth: 100 };
const codec = new ProtobufSpanCodec();
const walked = createWalkedRequest({ spansPerRequest: 1000, nestingDepth: 100 });

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function messageOf(body: Uint8Array): string | undefined {
  const reading = requestFromJson(body, limits);
  return reading.ok ? undefined : reading.message;
}

/** Reports whether JSON.parse accepts the body; the decoder drops one byte order mark. */
function isJson(body: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return true;
  } catch {
    return false;
  }
}

/** Returns a description of the error in the answer to a body, if any. */
function complaint(body: Uint8Array): string | undefined {
  const reading = requestFromJson(body, limits);
  if (!reading.ok) return reading.message === "" ? "no message" : undefined;
  if (!isJson(body)) return "not JSON, but read";
  walkRequest(walked, reading.request);
  return walked.fault === NO_FAULT ? disagreement(walked) : `fault ${walked.fault} of the walk`;
}

test.each([
  { name: "an empty body", text: "" },
  { name: "white space", text: " \n" },
  { name: "a list", text: "[]" },
  { name: "a string", text: '"{}"' },
  { name: "null", text: "null" },
  { name: "only a byte order mark", text: "\ufeff" },
  { name: "two byte order marks", text: "\ufeff\ufeff{}" },
  { name: "a byte order mark after white space", text: " \ufeff{}" },
])("a body that is not an object is refused: $name", ({ text }) => {
  expect(messageOf(bytesOf(text))).toContain("the body must be one JSON object");
});

test("offsets of faults count the byte order mark", () => {
  expect(messageOf(bytesOf("\ufeff{,}"))).toStartWith("at byte 4: expected a key in double quotes");
});

test("a partial byte order mark is refused as invalid UTF-8", () => {
  expect(messageOf(Uint8Array.of(0xef, 0xbb, 0x7b, 0x7d))).toBe("the body is not valid UTF-8");
});

const known = '{"resourceSpans":[{"schemaUrl":';

test.each([
  { text: "{} {}", message: "at byte 3: unexpected data after the object" },
  { text: "{}\u00a0", message: "at byte 2: unexpected data after the object" },
  { text: "{,}", message: "at byte 1: expected a key in double quotes" },
  { text: '{"a":1,}', message: "at byte 7: expected a key in double quotes" },
  { text: "{a:1}", message: "at byte 1: expected a key in double quotes" },
  { text: "{'a':1}", message: "at byte 1: expected a key in double quotes" },
  { text: '{"a" 1}', message: 'at byte 5: expected ":"' },
  { text: '{"a":}', message: "at byte 5: expected a JSON value" },
  { text: '{"a":1', message: 'at byte 6: expected "," or "}", but the body ends' },
  { text: '{"a":01}', message: 'at byte 6: expected "," or "}"' },
  { text: '{"a":1.}', message: "at byte 5: expected a JSON value" },
  { text: '{"a":+1}', message: "at byte 5: expected a JSON value" },
  { text: '{"a":nul}', message: "at byte 5: expected a JSON value" },
  { text: '{"a":True}', message: "at byte 5: expected a JSON value" },
  { text: '{"a":NaN}', message: "at byte 5: expected a JSON value" },
  { text: '{"a":nullx}', message: 'at byte 9: expected "," or "}"' },
  { text: '{"a":[1,]}', message: "at byte 8: expected a JSON value" },
  { text: '{"a":[1}', message: 'at byte 7: expected "," or "]"' },
  { text: '{"a":{"b":1]}', message: 'at byte 11: expected "," or "}"' },
  { text: '{"a":{1:2}}', message: "at byte 6: expected a key in double quotes" },
  { text: '{"a":{"b"}}', message: 'at byte 9: expected ":"' },
  { text: '{"a":1/**/}', message: 'at byte 6: expected "," or "}"' },
  { text: '{"a":"', message: "at byte 6: expected the rest of a string" },
  { text: '{"a":"\t"}', message: "at byte 6: expected the rest of a string" },
  { text: '{"a\u0000":1}', message: "at byte 3: expected the rest of a string" },
  { text: '{"a":"\\x"}', message: "at byte 6: an escape must be one of" },
  { text: '{"a":"\\u12g4"}', message: "at byte 6: an escape must be one of" },
  { text: '{"a":"\\u"}', message: "at byte 6: an escape must be one of" },
  { text: '{"a":"\\ud800\\u12"}', message: "at byte 12: an escape must be one of" },
  { text: '{"a":"\\', message: "at byte 6: an escape must be one of" },
  { text: '{"resourceSpans":[}', message: 'at byte 18: each of "resourceSpans" must be an object' },
  { text: '{"resourceSpans":[{}', message: 'at byte 20: expected "," or "]"' },
  { text: '{"resourceSpans":[{}}', message: 'at byte 20: expected "," or "]"' },
  { text: '{"resourceSpans":[{},]}', message: 'at byte 21: each of "resourceSpans" must be' },
  { text: '{"resourceSpans":[{]}', message: "at byte 19: expected a key in double quotes" },
  { text: '{"resourceSpans":nul}', message: "at byte 17: expected a JSON value" },
  { text: '{"resourceSpans"}', message: 'at byte 16: expected ":"' },
  { text: `${known}"\n"}]}`, message: "at byte 32: expected the rest of a string" },
  { text: `${known}"\\v"}]}`, message: "at byte 32: an escape must be one of" },
])("$text is refused", ({ text, message }) => {
  expect(messageOf(bytesOf(text))).toStartWith(message);
  expect(isJson(bytesOf(text))).toBe(false);
});

test.each([
  { name: "an invalid first byte", bytes: [0xff] },
  { name: "a truncated character", bytes: [0xe2, 0x82] },
  { name: "an overlong encoding", bytes: [0xc0, 0xaf] },
  { name: "a lone surrogate", bytes: [0xed, 0xa0, 0x80] },
])("invalid UTF-8 is refused in unknown fields too: $name", ({ bytes }) => {
  const body = Buffer.concat([bytesOf('{"a":"'), Uint8Array.from(bytes), bytesOf('"}')]);

  expect(messageOf(body)).toBe("the body is not valid UTF-8");
});

// Deliberate differences: JSON.parse accepts these, and the reader does not.
test.each([
  { name: "a number in a string field", text: `{"resourceSpans":[{"schemaUrl":1}]}` },
  {
    name: "unknown fields nested beyond the limit",
    text: `{"a":${"[".repeat(101)}${"]".repeat(101)}}`,
  },
])("valid JSON outside the limits is refused: $name", ({ text }) => {
  expect(isJson(bytesOf(text))).toBe(true);
  expect(messageOf(bytesOf(text))).toBeString();
});

test.each(GOLDEN_NAMES.map((name) => ({ name })))(
  "every truncation of $name is refused",
  ({ name }) => {
    const body = bytesOf(otlpJson(goldenRequest(name)));

    const accepted = Array.from(body.keys()).filter(
      (end) => messageOf(body.subarray(0, end)) === undefined,
    );

    expect(accepted).toEqual([]);
  },
);

test.each(GOLDEN_NAMES.map((name) => ({ name })))(
  "damage of any byte of $name causes a refusal or a valid request",
  ({ name }) => {
    const body = bytesOf(otlpJson(goldenRequest(name)));

    for (const at of body.keys()) {
      const whole = body[at]!;
      for (const byte of [whole ^ 1, whole ^ 0x80, 0x22, 0x5c, 0x30, 0x5d, 0x00]) {
        body[at] = byte;
        expect(complaint(body)).toBeUndefined();
      }
      body[at] = whole;
    }
  },
);

test("any change of any request causes a refusal or a valid request", () => {
  const body = fc
    .tuple(traceSpanArbitrary, fc.integer())
    .map(([span, seed]) => wildJson(JSON.parse(otlpJson(codec.encode(span))), randomFrom(seed)));
  const damaged = fc
    .tuple(body, fc.array(byteChangeArbitrary, { minLength: 1, maxLength: 3 }))
    .map(([text, changes]) => changed(bytesOf(text), changes));

  const property = fc.property(damaged, (bytes) => {
    expect(complaint(bytes)).toBeUndefined();
  });

  fc.assert(property, { numRuns: fuzzRuns(2_000) });
});

// These pieces sometimes form valid JSON, so that faults occur beyond the first byte.
test("any sequence of JSON tokens is accepted if and only if JSON.parse accepts it", () => {
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"a"',
    '"',
    "\\u00",
    "1",
    "-",
    ".",
    "e",
    "null",
    "true",
  ];
  const text = fc.array(fc.constantFrom(...pieces, " "), { maxLength: 12 });

  const property = fc.property(text, (parts) => {
    const body = bytesOf(`{"a":${parts.join("")}}`);

    expect(messageOf(body) === undefined).toBe(isJson(body));
  });

  fc.assert(property, { numRuns: fuzzRuns(5_000) });
});

test("any JSON value in an unknown field is skipped", () => {
  const property = fc.property(fc.json(), fc.integer(), (text, seed) => {
    const wild = wildJson(JSON.parse(text), randomFrom(seed));

    expect(messageOf(bytesOf(`{"a":${wild}}`))).toBeUndefined();
  });

  fc.assert(property, { numRuns: fuzzRuns(500) });
});
