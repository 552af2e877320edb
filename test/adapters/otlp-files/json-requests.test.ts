import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { readRequests } from "../../../src/adapters/otlp-files/read-requests.ts";
import type { FileItem } from "../../../src/adapters/otlp-files/file-request.ts";
import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { spanLineChunks } from "../../../src/adapters/otlp/json/span-lines.ts";
import { textBytes } from "../../support/requests/byte-chunks.ts";
import { itemsOf, json, read } from "../../support/requests/file-items.ts";
import { requestOf, serverRequest } from "../../support/requests/request-bytes.ts";
import { traceSpanArbitrary } from "../../support/requests/trace-span-arbitrary.ts";

const codec = new ProtobufSpanCodec();

/** Returns the lines that `spanring take` prints for a request. */
function printed(request: Uint8Array<ArrayBuffer>, first = 1): string {
  const sequences = codec.decode(request).map((_, at) => first + at);
  return Buffer.concat([...spanLineChunks({ request, sequences }, "a1")]).toString();
}

interface Request {
  readonly resourceSpans: readonly {
    readonly resource?: object;
    readonly scopeSpans?: readonly {
      readonly scope?: object;
      readonly spans?: readonly object[];
      readonly schemaUrl?: string;
    }[];
    readonly schemaUrl?: string;
  }[];
}

/** Returns each span with its resource and scope, sorted, because resources group the spans. */
function spansIn(requests: readonly (string | Uint8Array)[]): string[] {
  const spans = requests.flatMap((bytes) => {
    const { resourceSpans } = JSON.parse(Buffer.from(bytes as string).toString()) as Request;
    return resourceSpans.flatMap(({ resource = {}, scopeSpans = [], schemaUrl }) =>
      scopeSpans.flatMap(({ scope = {}, spans: inScope = [], schemaUrl: scopeSchemaUrl }) =>
        inScope.map((span) => JSON.stringify([resource, schemaUrl, scope, scopeSchemaUrl, span])),
      ),
    );
  });
  return spans.toSorted();
}

function bytesOf(item: FileItem): Uint8Array {
  return "bytes" in item ? item.bytes : textBytes(read(item));
}

test("spans printed one per line are read without loss", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(traceSpanArbitrary, { minLength: 1, maxLength: 5 }),
      async (spans) => {
        const bytes = new Uint8Array(Buffer.concat(spans.map((span) => codec.encode(span))));

        const items = await itemsOf(textBytes(printed(bytes)));

        expect(spansIn(items.map(bytesOf))).toEqual(spansIn([otlpJson(bytes)]));
      },
    ),
  );
});

test("spans of one resource and scope are read as one request", async () => {
  const items = await itemsOf(textBytes(printed(requestOf(3), 17)));

  expect(items.map(read)).toEqual([json(otlpJson(requestOf(3)), 3)]);
});

test("numbers keep their digits", async () => {
  const line =
    '{"traceId":"1","spanId":"2","n":[12345678901234567890,1.50],"resource":{},"scope":{}}';

  const [item] = await itemsOf(textBytes(line));

  expect(Buffer.from(bytesOf(item!)).toString()).toBe(
    '{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":' +
      '[{"traceId":"1","spanId":"2","n":[12345678901234567890,1.50]}]}]}]}',
  );
});

test("many spans are split into several small requests", async () => {
  const items = await itemsOf(textBytes(printed(serverRequest(1000))), 1_000_000);

  const counts = items.map((item) => ("spanCount" in item ? item.spanCount : NaN));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1000);
  expect(items.length).toBeGreaterThan(5);
  expect(Math.max(...items.map((item) => bytesOf(item).length))).toBeLessThan(70_000);
});

test("requests and broken lines between spans are read in order", async () => {
  const line = printed(requestOf(1));
  const request = otlpJson(requestOf(2));

  const items = await itemsOf(
    textBytes(`${line}${request}\n${line}{"missed":3}\n${line}`),
    100_000,
  );

  expect(items.map(read)).toEqual([
    json(otlpJson(requestOf(1)), 1),
    json(request, 2),
    json(otlpJson(requestOf(1)), 1),
    "line 4: JSON without resourceSpans, so not traces (12 B)",
    json(otlpJson(requestOf(1)), 1),
  ]);
});

test("spans from a pipe are read before more arrive", async () => {
  const { promise: more, resolve: goOn } = Promise.withResolvers<void>();
  const slow = async function* () {
    yield textBytes(printed(requestOf(2)));
    await more;
    yield textBytes(printed(requestOf(1)));
  };

  const items = readRequests(slow());
  const first = await items.next();
  goOn();
  const second = await items.next();

  expect([first.value, second.value]).toMatchObject([{ spanCount: 2 }, { spanCount: 1 }]);
});

test("the earliest start of a request is that of its earliest span", async () => {
  const [item] = await itemsOf(textBytes(printed(serverRequest(3))));

  expect(item).toMatchObject({ spanCount: 3 });
  expect("earliestStartMs" in item! && item.earliestStartMs()).toBe(1_700_000_000_000);
});
