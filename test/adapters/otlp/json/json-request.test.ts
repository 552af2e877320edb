import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { opentelemetry } from "../../../../src/adapters/otlp/generated/otlp.js";
import { requestFromJson } from "../../../../src/adapters/otlp/json/json-request.ts";
import { otlpJson } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { ProtobufSpanCodec } from "../../../../src/adapters/otlp/span-codec.ts";
import { walkRequest } from "../../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../../src/domain/wire/walked-request.ts";
import { REQUEST_SHAPES } from "../../../bench/request-corpus.ts";
import { fuzzRuns } from "../../../support/running/fuzz-runs.ts";
import { GOLDEN_NAMES, goldenRequest } from "../../../support/requests/golden-requests.ts";
import {
  bodyOfSpan,
  MEMBERS_AT,
  rereadSpan,
  rereadValue,
} from "../../../support/requests/json-span.ts";
import { requestArbitrary } from "../../../support/requests/request-arbitrary.ts";
import { traceSpanArbitrary } from "../../../support/requests/trace-span-arbitrary.ts";
import { randomFrom, wildJson } from "../../../support/requests/wild-json.ts";

const { ExportTraceServiceRequest } = opentelemetry.proto.collector.trace.v1;
const codec = new ProtobufSpanCodec();
const limits = { nestingDepth: 100 };

/** Returns the protobuf bytes, or the message of the fault. */
function read(body: string | Uint8Array): Uint8Array | string {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const reading = requestFromJson(bytes, limits);
  return reading.ok ? reading.request : reading.message;
}

/** Returns the protobuf bytes of a valid body. */
function request(body: string): Uint8Array {
  const reading = requestFromJson(new TextEncoder().encode(body), limits);
  return reading.ok ? reading.request : expect.unreachable(reading.message);
}

test.each(GOLDEN_NAMES.map((name) => ({ name })))(
  "$name is converted to OTLP/JSON and back without loss",
  ({ name }) => {
    const golden = goldenRequest(name);

    const decoded = ExportTraceServiceRequest.decode(request(otlpJson(golden)));

    expect(decoded).toEqual(ExportTraceServiceRequest.decode(golden));
  },
);

test.each(REQUEST_SHAPES.filter(({ name }) => name !== "fields in odd order"))(
  "$name keep every byte in OTLP/JSON and back",
  ({ bytes }) => {
    expect(Buffer.compare(request(otlpJson(bytes)), bytes)).toBe(0);
  },
);

test("any spans are converted to OTLP/JSON and back without loss", () => {
  const property = fc.property(fc.array(traceSpanArbitrary, { maxLength: 3 }), (spans) => {
    const bytes = Buffer.concat(spans.map((span) => codec.encode(span)));

    expect(codec.decode(request(otlpJson(bytes)))).toStrictEqual(spans);
  });

  fc.assert(property, { numRuns: fuzzRuns(200) });
});

// Goal: everything that JSON expresses of a request is in the resulting bytes.
// Method: random requests that the walk accepts are converted to JSON, to bytes, and to JSON again.
test("a request of any shape keeps its meaning", () => {
  const property = fc.property(requestArbitrary, (bytes) => {
    const json = otlpJson(bytes);

    expect(otlpJson(request(json))).toBe(json);
  });

  fc.assert(property, { numRuns: fuzzRuns(500) });
});

test("every notation of a request in JSON gives the same bytes", () => {
  const property = fc.property(traceSpanArbitrary, fc.integer(), (span, seed) => {
    const json = otlpJson(codec.encode(span));
    const wild = wildJson(JSON.parse(json), randomFrom(seed));

    expect(Buffer.compare(request(wild), request(json))).toBe(0);
  });

  fc.assert(property, { numRuns: fuzzRuns(300) });
});

test.each([
  { name: "an empty object", body: "{}" },
  { name: "an empty list", body: '{"resourceSpans":[]}' },
  { name: "null for a list", body: '{"resourceSpans":null}' },
  { name: "a byte order mark", body: "\ufeff{}" },
  { name: "a byte order mark, then white space", body: "\ufeff\r\n{}" },
  { name: "white space around", body: ' \n{\t"resourceSpans" : [ ] }\r\n' },
  { name: "only unknown fields", body: '{"resource_spans":[{}],"x":{"resourceSpans":[{}]}}' },
])("the result is empty for $name", ({ body }) => {
  expect(read(body)).toEqual(new Uint8Array(0));
});

test("a byte order mark before a request is ignored", () => {
  const json = otlpJson(goldenRequest("attribute-kinds"));

  expect(read(`\ufeff${json}`)).toEqual(request(json));
});

test.each([
  { name: "keys in snake case", members: '"trace_id":"00","start_time_unix_nano":"1"' },
  { name: "keys in another case", members: '"Name":"a","NAME":"b"' },
  { name: "a longer, a shorter and an empty key", members: '"names":"a","nam":"b","":"c"' },
  { name: "a key that contains a quote", members: '"name\\"":"a","name\\u0022":1' },
  { name: "a message and a list", members: '"x":{"name":"a","y":[{}]},"z":[[],{},[{"a":[]}]]' },
  { name: "every scalar", members: '"a":null,"b":true,"c":false,"d":-1.5e+3,"e":"\\u0000"' },
  { name: "a value that a known field would refuse", members: '"x":{"kind":"SERVER"}' },
  { name: "null for any field", members: '"name":null,"kind":null,"events":null,"status":null' },
  { name: "a key index into the strings of a profile", members: '"keyStrindex":1' },
])("a member is ignored: $name", ({ members }) => {
  expect(rereadSpan(`"flags":7,${members},"flags":8`)).toBe('"flags":8');
});

test("unknown fields are ignored at every depth", () => {
  const body =
    '{"a":1,"resourceSpans":[{"a":1,"resource":{"a":[{}]},"scopeSpans":[{"a":{"b":[]},' +
    '"scope":{"a":"b"},"spans":[{"events":[{"a":1}],"links":[{"a":1}],"status":{"a":1},' +
    '"attributes":[{"a":1,"value":{"a":1}}]}]}]}]}';

  expect(otlpJson(request(body))).toBe(
    '{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{' +
      '"attributes":[{"value":{}}],"events":[{}],"links":[{}],"status":{}}]}]}]}',
  );
});

test.each([
  { name: "the last scalar applies", members: '"kind":1,"kind":3', read: '"kind":3' },
  { name: "a zero applies too", members: '"kind":1,"name":"a","kind":0,"name":""', read: "" },
  { name: "null is ignored", members: '"kind":1,"kind":null', read: '"kind":1' },
  {
    name: "messages are merged",
    members: '"status":{"code":2},"status":{"message":"bad"}',
    read: '"status":{"message":"bad","code":2}',
  },
  {
    name: "lists are joined",
    members: '"events":[{"name":"a"}],"events":[],"events":[{"name":"b"}]',
    read: '"events":[{"name":"a"},{"name":"b"}]',
  },
  {
    name: "an escaped key is the same key",
    members: '"name":"a","\\u006eam\\u0065":"b"',
    read: '"name":"b"',
  },
])("for a repeated key, $name", ({ members, read: expected }) => {
  expect(rereadSpan(members)).toBe(expected);
});

test.each([
  { value: '{"stringValue":"a","boolValue":false}', read: '{"boolValue":false}' },
  { value: '{"boolValue":false,"stringValue":""}', read: '{"stringValue":""}' },
  { value: '{"intValue":"1","stringValue":null}', read: '{"intValue":"1"}' },
  { value: '{"stringValue":"a","stringValueStrindex":1}', read: "{}" },
  { value: "{}", read: "{}" },
])("the last kind of a value applies: $value", ({ value, read: expected }) => {
  expect(rereadValue(value)).toBe(expected);
});

test("an index into the strings of a profile is passed on to the walk, which reports it", () => {
  const members = '"attributes":[{"value":{"stringValueStrindex":3}}]';
  const walked = createWalkedRequest({ spansPerRequest: 1, nestingDepth: 100 });

  walkRequest(walked, read(bodyOfSpan(members)) as Uint8Array);

  expect(walked.sawProfilesOnlyField).toBe(true);
});

test.each([
  {
    name: "not hex",
    ids: '"traceId":"0g000000000000000000000000000001","spanId":"0000000000000001"',
  },
  { name: "half a byte", ids: '"traceId":"00000000000000000000000000000001","spanId":"1"' },
  { name: "base64", ids: '"traceId":"W47/95gDgQPSabgZgQAWtg==","spanId":"7uGbfsO/1rE="' },
  { name: "empty", ids: '"traceId":"","spanId":""' },
  { name: "not ASCII", ids: '"traceId":"é1","spanId":"0000000000000001"' },
  { name: "missing", ids: "" },
])("an identifier that is $name rejects the span, not the request", ({ ids }) => {
  const good = '"traceId":"0AF7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"';
  const walked = createWalkedRequest({ spansPerRequest: 9, nestingDepth: 100 });

  walkRequest(walked, read(bodyOfSpan(`${ids}},{${good}`)) as Uint8Array);

  expect(walked).toMatchObject({ fault: 0, spanCount: 1, rejectedSpans: 1 });
});

test.each([
  { name: "a parent", members: '"parentSpanId":"xy"' },
  { name: "a link", members: '"links":[{"traceId":"xy","spanId":"b7ad6b7169203331"}]' },
])("an invalid identifier of $name rejects the span", ({ members }) => {
  const good = '"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"';
  const walked = createWalkedRequest({ spansPerRequest: 9, nestingDepth: 100 });

  walkRequest(walked, read(bodyOfSpan(`${good},${members}`)) as Uint8Array);

  expect(walked).toMatchObject({ fault: 0, spanCount: 0, rejectedSpans: 1 });
});

test.each([
  { name: "without ids", link: '"attributes":[]' },
  { name: "with empty ids", link: '"traceId":"","spanId":""' },
  { name: "with a null for an id", link: '"traceId":null,"spanId":"b7ad6b7169203331"' },
  {
    name: "of zeros",
    link: '"traceId":"00000000000000000000000000000000","spanId":"0000000000000000"',
  },
])("a link $name is valid", ({ link }) => {
  const good = '"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"';
  const walked = createWalkedRequest({ spansPerRequest: 9, nestingDepth: 100 });

  walkRequest(walked, read(bodyOfSpan(`${good},"links":[{${link}}]`)) as Uint8Array);

  expect(walked).toMatchObject({ fault: 0, spanCount: 1, rejectedSpans: 0 });
});

test.each([
  { members: '"events":{}', offset: 9, message: '"events" must be a list' },
  { members: '"events":[null]', offset: 10, message: 'each of "events" must be an object' },
  { members: '"events":[{},[]]', offset: 13, message: 'each of "events" must be an object' },
  { members: '"status":[]', offset: 9, message: '"status" must be an object' },
  { members: '"status":"OK"', offset: 9, message: '"status" must be an object' },
  { members: '"name":1', offset: 7, message: '"name" must be a string' },
  { members: '"spanId":1', offset: 9, message: '"spanId" must be a string' },
  { members: '"kind": {}', offset: 8, message: '"kind" must be a whole number' },
])("a value of the wrong type is refused with its offset: $members", (wrong) => {
  const { members, offset, message } = wrong;

  expect(rereadSpan(members)).toStartWith(`at byte ${MEMBERS_AT + offset}: ${message}`);
});

test("a string is refused where a list of strings must be", () => {
  const body = '{"resourceSpans":[{"resource":{"entityRefs":[{"idKeys":"a"}]}}]}';

  expect(read(body)).toBe('at byte 55: "idKeys" must be a list');
});

test("a quoted number is read up to its closing quote", () => {
  expect(read(withInteger('"12"'))).toEqual(read(withInteger("12")));
  expect(read(withInteger('"1\\u0032"'))).toEqual(read(withInteger("12")));
  expect(read(withInteger('"12x"'))).toContain('"intValue" must be a whole number');
});

function withInteger(text: string): string {
  const attribute = `{"key":"a","value":{"intValue":${text}}}`;
  return `{"resourceSpans":[{"resource":{"attributes":[${attribute}]}}]}`;
}

test("null in a list of strings is refused", () => {
  const body = '{"resourceSpans":[{"resource":{"entityRefs":[{"idKeys":["a",null]}]}}]}';

  expect(read(body)).toBe('at byte 60: each of "idKeys" must be a string');
});
