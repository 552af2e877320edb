import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { otlpJson } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { ProtobufSpanCodec } from "../../../../src/adapters/otlp/span-codec.ts";
import { spanLineChunks } from "../../../../src/adapters/otlp/json/span-lines.ts";
import {
  attribute,
  request,
  requestOf,
  resourceSpans,
  span,
} from "../../../support/requests/request-bytes.ts";
import { traceSpanArbitrary } from "../../../support/requests/trace-span-arbitrary.ts";
import { bytesField } from "../../../support/requests/wire-bytes.ts";
import type { CopiedSpans } from "../../../../src/ports/trace-buffer.ts";

const codec = new ProtobufSpanCodec();

test("a span is written exactly, followed by its resource and scope", () => {
  expect(textOf(numbered(requestOf(1), 17))).toBe(
    '{"sequence":17,"run_id":"a1","service":"shop","traceId":"ab070707070707070707070700000001",' +
      '"spanId":"cd01020300000001","name":"span 1","resource":{"attributes":' +
      '[{"key":"service.name","value":{"stringValue":"shop"}}]},' +
      '"scope":{"name":"spanring.test","version":"1.2.3"},"scopeSchemaUrl":"scope schema"}\n',
  );
});

test("what a span came in is an empty object where it came in nothing", () => {
  const [line] = linesOf(numbered(request(bytesField(1, bytesField(2, span(1)))), 1));

  expect(line).toMatchObject({ service: "unknown_service", resource: {}, scope: {} });
});

test("the schema of what a span came in stands beside it, the last where it is said twice", () => {
  const scope = bytesField(
    2,
    bytesField(3, 'of "another" scope'),
    span(1),
    bytesField(3, "of a scope"),
  );
  const bytes = request(
    bytesField(1, bytesField(3, "another"), scope, bytesField(3, "of a resource")),
  );

  const [line] = linesOf(numbered(bytes, 1));

  expect(line).toMatchObject({
    resource: {},
    resourceSchemaUrl: "of a resource",
    scope: {},
    scopeSchemaUrl: "of a scope",
  });
});

test("no span is no line", () => {
  expect(textOf({ request: new Uint8Array(0), sequences: [] })).toBe("");
});

test("the name of a service is quoted, whatever is in it", () => {
  const [line] = linesOf(numbered(request(resourceSpans('a"\n\u2028\\', span(1))), 1));

  expect(line).toMatchObject({ service: 'a"\n\u2028\\' });
});

test("a resource in two pieces is one", () => {
  const pieces = ["shop", "x"].map((value, index) =>
    bytesField(1, bytesField(1, attribute(index === 0 ? "service.name" : "b", value))),
  );
  const bytes = request(bytesField(1, pieces[0]!, bytesField(2, span(1)), pieces[1]!));

  const [line] = linesOf(numbered(bytes, 1));

  expect(line).toMatchObject({
    service: "shop",
    resource: { attributes: [{ key: "service.name" }, { key: "b" }] },
  });
});

test("lines say of spans what OTLP/JSON says, in its order", () => {
  fc.assert(
    fc.property(fc.array(traceSpanArbitrary, { maxLength: 4 }), (spans) => {
      const bytes = new Uint8Array(Buffer.concat(spans.map((each) => codec.encode(each))));

      const lines = linesOf(numbered(bytes, 100));

      expect(lines.map((line) => withoutService(line))).toStrictEqual(expectedLines(bytes, 100));
    }),
  );
});

test("a span or a resource that is large is written in steps", () => {
  const long = attribute("long", "x".repeat(40_000));
  const resource = bytesField(1, bytesField(1, long), bytesField(1, long), bytesField(1, long));
  const bytes = request(
    bytesField(1, resource, bytesField(2, span(1, bytesField(9, long)), span(2))),
  );

  const chunks = [...spanLineChunks(numbered(bytes, 1), "a1")];

  expect(chunks.length).toBeGreaterThan(3);
  expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThan(120_000);
  expect(linesOf(numbered(bytes, 1)).map(withoutService)).toStrictEqual(expectedLines(bytes, 1));
});

test("a frame stands around each span", () => {
  const frame = { before: (cursor: string) => `<${cursor}>`, after: "</>" };

  const chunks = [...spanLineChunks(numbered(requestOf(2), 5), "a1", frame)];

  expect(Buffer.concat(chunks).toString()).toMatch(/^<a1-5>\{.*\}<\/><a1-6>\{.*\}<\/>$/);
});

/** With sequences from `first` on. */
function numbered(bytes: Uint8Array<ArrayBuffer>, first: number): CopiedSpans {
  const spanCount = codec.decode(bytes).length;
  return { request: bytes, sequences: Array.from({ length: spanCount }, (_, at) => first + at) };
}

function textOf(spans: CopiedSpans): string {
  return Buffer.concat([...spanLineChunks(spans, "a1")]).toString();
}

function linesOf(spans: CopiedSpans): object[] {
  const lines = textOf(spans).split("\n");
  expect(lines.pop()).toBe("");
  return lines.map((line) => JSON.parse(line) as object);
}

/** What the service is, is the domain's to say. The rest is in the order of its members. */
function withoutService(line: object): [string, unknown][] {
  return Object.entries(line).filter(([name]) => name !== "service");
}

interface OtlpJson {
  readonly resourceSpans: readonly {
    readonly resource?: object;
    readonly scopeSpans?: readonly {
      readonly scope?: object;
      readonly spans?: object[];
      readonly schemaUrl?: string;
    }[];
    readonly schemaUrl?: string;
  }[];
}

function expectedLines(bytes: Uint8Array, first: number): [string, unknown][][] {
  const { resourceSpans: resources } = JSON.parse(otlpJson(bytes)) as OtlpJson;
  const spans = resources.flatMap(({ resource = {}, scopeSpans = [], schemaUrl: ofResource }) =>
    scopeSpans.flatMap(({ scope = {}, spans: inScope = [], schemaUrl: ofScope }) => {
      const context = { resource, resourceSchemaUrl: ofResource, scope, scopeSchemaUrl: ofScope };
      return inScope.map((each) => ({ ...each, ...context }));
    }),
  );
  return spans.map((each, index) =>
    Object.entries({ sequence: first + index, run_id: "a1", ...each }).filter(
      ([, value]) => value !== undefined,
    ),
  );
}
