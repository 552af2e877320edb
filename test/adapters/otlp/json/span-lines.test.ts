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

test("a line has the span, then its resource and scope", () => {
  expect(textOf(numbered(requestOf(1), 17))).toBe(
    '{"sequence":17,"run_id":"a1","service":"shop","traceId":"ab070707070707070707070700000001",' +
      '"spanId":"cd01020300000001","name":"span 1","resource":{"attributes":' +
      '[{"key":"service.name","value":{"stringValue":"shop"}}]},' +
      '"scope":{"name":"spanring.test","version":"1.2.3"},"scopeSchemaUrl":"scope schema"}\n',
  );
});

test("a missing resource or scope is written as an empty object", () => {
  const [line] = linesOf(numbered(request(bytesField(1, bytesField(2, span(1)))), 1));

  expect(line).toMatchObject({ service: "unknown_service", resource: {}, scope: {} });
});

test("schema URLs are written beside the resource and the scope, and the last one applies", () => {
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

test("nothing is written without spans", () => {
  expect(textOf({ request: new Uint8Array(0), sequences: [] })).toBe("");
});

test("the name of a service is quoted", () => {
  const [line] = linesOf(numbered(request(resourceSpans('a"\n\u2028\\', span(1))), 1));

  expect(line).toMatchObject({ service: 'a"\n\u2028\\' });
});

test("the two parts of a resource are merged", () => {
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

test("lines have the content of OTLP/JSON in the same order", () => {
  fc.assert(
    fc.property(fc.array(traceSpanArbitrary, { maxLength: 4 }), (spans) => {
      const bytes = new Uint8Array(Buffer.concat(spans.map((each) => codec.encode(each))));

      const lines = linesOf(numbered(bytes, 100));

      expect(lines.map((line) => withoutService(line))).toStrictEqual(expectedLines(bytes, 100));
    }),
  );
});

test("a large span or resource is written in several chunks", () => {
  const long = attribute("long", "x".repeat(40_000));
  const resource = bytesField(1, bytesField(1, long), bytesField(1, long), bytesField(1, long));
  const bytes = request(
    bytesField(1, resource, bytesField(2, span(1, bytesField(9, long)), span(2))),
  );

  const chunks = [...spanLineChunks(numbered(bytes, 1), "a1")];

  expect(chunks.length).toBeGreaterThan(3);
  expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThan(66_000);
  expect(linesOf(numbered(bytes, 1)).map(withoutService)).toStrictEqual(expectedLines(bytes, 1));
});

test("the frame surrounds each span", () => {
  const frame = { before: (cursor: string) => `<${cursor}>`, after: "</>" };

  const chunks = [...spanLineChunks(numbered(requestOf(2), 5), "a1", frame)];

  expect(Buffer.concat(chunks).toString()).toMatch(/^<a1-5>\{.*\}<\/><a1-6>\{.*\}<\/>$/);
});

/** Numbers the spans from `first`. */
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

/** Returns the members in order without the service, which the domain determines. */
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
  const spans = resources.flatMap(
    ({ resource = {}, scopeSpans = [], schemaUrl: resourceSchemaUrl }) =>
      scopeSpans.flatMap(({ scope = {}, spans: inScope = [], schemaUrl: scopeSchemaUrl }) => {
        const context = { resource, resourceSchemaUrl, scope, scopeSchemaUrl };
        return inScope.map((each) => ({ ...each, ...context }));
      }),
  );
  return spans.map((each, index) =>
    Object.entries({ sequence: first + index, run_id: "a1", ...each }).filter(
      ([, value]) => value !== undefined,
    ),
  );
}
