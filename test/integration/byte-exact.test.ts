import { afterAll, beforeAll, expect, test } from "bun:test";
import { openExportClient } from "../support/running/export-client.ts";
import { GOLDEN_NAMES, goldenRequest } from "../support/requests/golden-requests.ts";
import { handBuiltRequests, unknownFields } from "../support/requests/hand-built-requests.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import {
  attribute,
  request,
  requestOf,
  serverRequest,
  span,
  spanId,
  traceId,
} from "../support/requests/request-bytes.ts";
import { type RunningProgram, startProgram } from "../support/running/running-program.ts";
import { bytesField } from "../support/requests/wire-bytes.ts";

// Goal: readers receive exactly the bytes that were sent, including unknown fields.

/** Returns a message field with unknown fields before and after its own. */
function openEnded(fieldNumber: number, ...parts: number[][]): number[] {
  return bytesField(fieldNumber, ...bothEnds(...parts));
}

/** Returns a span with unknown fields in itself and in every message that it can contain. */
function openEndedSpan(number: number): number[] {
  const value = openEnded(2, openEnded(5, openEnded(1, bytesField(1, "in an array"))));
  const list = openEnded(2, openEnded(6, openEnded(1, attribute("in", "a list"))));
  return span(
    number,
    ...unknownFields,
    openEnded(9, bytesField(1, "array"), value),
    openEnded(9, bytesField(1, "list"), list),
    openEnded(11, bytesField(2, "event"), openEnded(3, attribute("of", "event"))),
    openEnded(13, bytesField(1, traceId(9)), bytesField(2, spanId(9))),
    openEnded(15, bytesField(2, "status")),
  );
}

const resource = openEnded(1, openEnded(1, attribute("service.name", "shop")));
const scope = openEnded(1, bytesField(1, "scope"));
const [scopeSchema, resourceSchema] = [bytesField(3, "scope schema"), bytesField(3, "schema")];

/** Returns a request of these spans, in one scope, with unknown fields in every envelope. */
function openEndedRequest(...numbers: number[]): Uint8Array<ArrayBuffer> {
  const spans = numbers.map(openEndedSpan);
  const scopeSpans = openEnded(2, scope, ...spans, scopeSchema);
  const resourceSpans = openEnded(1, resource, scopeSpans, resourceSchema);
  return request(...unknownFields, resourceSpans, ...unknownFields);
}

/** Returns the rest of such a request with only these spans, after the fields around them. */
function restOfRequest(...numbers: number[]): Uint8Array<ArrayBuffer> {
  const spans = numbers.map(openEndedSpan);
  const scopeSpans = bytesField(2, ...bothEnds(scope, scopeSchema), ...spans);
  const resourceSpans = bytesField(1, ...bothEnds(resource, resourceSchema), scopeSpans);
  return request(...bothEnds(), resourceSpans);
}

function bothEnds(...parts: number[][]): number[][] {
  return [...unknownFields, ...parts, ...unknownFields];
}

const valid = Object.entries({
  ...handBuiltRequests,
  "unknown fields in every message": openEndedRequest(1, 2),
  "five thousand spans, in more than a megabyte": serverRequest(5_000),
}).filter(([name]) => !name.startsWith("a valid span between"));

const goldens = GOLDEN_NAMES.map((name): [string, Uint8Array] => [name, goldenRequest(name)]);

// Every test takes the spans that it sent, so that all tests can share a program.
let program: RunningProgram;
beforeAll(async () => {
  program = await startProgram();
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
});

test.each([...valid, ...goldens])(
  "the taken bytes have the SHA-256 of the sent ones: %s",
  async (_name, sent) => {
    await sendAll(program, [sent]);
    const taken = await readApiClient(program.apiUrl).takeAsBytes(10_000);

    expect(sha256(taken)).toBe(sha256(sent));
  },
);

test("several requests are read and taken in order and unchanged", async () => {
  // The first has one span.
  const sent = [requestOf(1), ...[...valid, ...goldens].map(([, bytes]) => bytes)];
  const api = readApiClient(program.apiUrl);

  await sendAll(program, sent);
  const seen = await api.spansAsBytes(10_000);
  const first = await api.takeAsBytes(1);
  const others = await api.takeAsBytes(10_000);
  const nothing = await api.takeAsBytes(10_000);

  expect(sha256(seen)).toBe(sha256(...sent));
  expect(sha256(first)).toBe(sha256(sent[0]!));
  expect(sha256(others)).toBe(sha256(...sent.slice(1)));
  expect(nothing).toHaveLength(0);
});

test("the newest of seventeen megabytes over one connection are taken unchanged", async () => {
  const large = serverRequest(5_000);
  const api = readApiClient(program.apiUrl);

  await sendAll(program, Array<Uint8Array>(10).fill(large));
  const taken = await api.takeAsBytes(20_000);

  expect(sha256(taken)).toBe(sha256(large, large));
});

test("a partly evicted request keeps all other bytes", async () => {
  await using small = await startProgram({ MAX_BUFFER_SIZE: "5" });
  const [older, newer] = [openEndedRequest(1, 2, 3, 4), openEndedRequest(5, 6, 7)];
  const api = readApiClient(small.apiUrl);

  await sendAll(small, [older, newer]);
  const { spans } = await api.stats();
  const taken = await api.takeAsBytes(10);

  expect(spans).toMatchObject({ accepted: 7, buffered: 5, evicted: 2 });
  expect(taken.toHex()).toBe(restOfRequest(3, 4).toHex() + newer.toHex());
});

test("spans that are taken one by one keep their bytes and their envelopes", async () => {
  const sent = openEndedRequest(1, 2, 3);
  const api = readApiClient(program.apiUrl);

  await sendAll(program, [sent]);
  const taken = [await api.takeAsBytes(1), await api.takeAsBytes(1), await api.takeAsBytes(1)];

  expect(taken.map((bytes) => bytes.toHex())).toEqual(
    [1, 2, 3].map((number) => restOfRequest(number).toHex()),
  );
});

test("the valid spans of a request with invalid ones keep their bytes", async () => {
  const bad = [bytesField(2, bytesField(5, "no ids")), bytesField(2, ...unknownFields)];
  const good = [openEndedSpan(1), openEndedSpan(2)];
  const sent = request(bytesField(1, bytesField(2, bad[0]!, good[0]!, bad[1]!, good[1]!)));
  const api = readApiClient(program.apiUrl);

  await sendAll(program, [sent]);
  const taken = await api.takeAsBytes(10);

  expect(taken.toHex()).toBe(request(bytesField(1, bytesField(2, ...good))).toHex());
});

/** Sends the requests in order; each must be answered with full success. */
async function sendAll(to: RunningProgram, requests: readonly Uint8Array[]): Promise<void> {
  using client = openExportClient(to.grpcPort);
  for (const bytes of requests) await client.export(bytes);
}

function sha256(...pieces: readonly Uint8Array[]): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const piece of pieces) hasher.update(piece);
  return hasher.digest("hex");
}
