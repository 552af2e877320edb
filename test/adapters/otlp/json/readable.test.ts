import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { otlpJson } from "../../../../src/adapters/otlp/json/otlp-json.ts";
import { ProtobufSpanCodec } from "../../../../src/adapters/otlp/span-codec.ts";
import type { AttributeValue, TraceSpan } from "../../../../src/domain/trace-span.ts";
import { plainSpan } from "../../../support/requests/plain-span.ts";
import { serverRequest, spanBody } from "../../../support/requests/request-bytes.ts";
import { traceSpanArbitrary } from "../../../support/requests/trace-span-arbitrary.ts";
import { isAccepted } from "../../../support/oracles/walk-for-reading.ts";
import { bytesField, tag } from "../../../support/requests/wire-bytes.ts";

// Goal: both readers can read every accepted request, and agree about it.
// Method: requests are damaged byte by byte; the wire walk accepts some of them.

const codec = new ProtobufSpanCodec();

test("a request with any single wrong byte is refused or readable", () => {
  const good = serverRequest(1);
  const damaged = Array.from(good, (byte, index) =>
    [0, 1, 0x7f, 0x80, 0xff, byte ^ 8].map((wrong) => good.with(index, wrong)),
  ).flat();

  const accepted = damaged.filter(isAccepted);

  expect(accepted.length).toBeGreaterThan(100);
  expect(accepted.filter((request) => !readsTheSame(request))).toEqual([]);
});

test("a request with any damage is refused or readable", () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), {
    minLength: 1,
    maxLength: 6,
  });

  fc.assert(
    fc.property(traceSpanArbitrary, changes, (span, bytes) => {
      const request = codec.encode(span);
      for (const [position, byte] of bytes) request[position % request.length] = byte;

      expect(!isAccepted(request) || readsTheSame(request)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
  "a request whose length is written with %d bytes is refused or readable",
  (width) => {
    const span = spanBody(1);
    const padded = [...Array<number>(width - 1).fill(0x80), 0];
    padded[0] = (padded[0] ?? 0) | span.length;
    const request = Uint8Array.from(bytesField(1, bytesField(2, tag(2, 2), padded, span)));

    expect(!isAccepted(request) || readsTheSame(request)).toBe(true);
  },
);

const arrays = (levels: number): AttributeValue =>
  levels === 0 ? null : { type: "array", value: [arrays(levels - 1)] };

const maps = (levels: number): AttributeValue =>
  levels === 0 ? null : { type: "kvlist", value: [{ key: "k", value: maps(levels - 1) }] };

const places: { place: string; put: (value: AttributeValue) => TraceSpan }[] = [
  { place: "span", put: (value) => ({ ...plainSpan(), attributes: [{ key: "deep", value }] }) },
  {
    place: "event",
    put: (value) => ({
      ...plainSpan(),
      events: [
        {
          timeUnixNano: 0n,
          name: "",
          attributes: [{ key: "deep", value }],
          droppedAttributesCount: 0,
        },
      ],
    }),
  },
  {
    place: "resource",
    put: (value) => ({
      ...plainSpan(),
      resource: { ...plainSpan().resource, attributes: [{ key: "deep", value }] },
    }),
  },
];

test.each(places)("attributes of a $place nested too deeply are refused whole", (at) => {
  const spans = Array.from({ length: 120 }, (_, levels) => [
    at.put(arrays(levels)),
    at.put(maps(levels)),
  ]).flat();

  const accepted = spans.filter((span) => isAccepted(codec.encode(span)));

  expect(accepted.length).toBeGreaterThan(70);
  expect(accepted.length).toBeLessThan(90);
  expect(accepted.flatMap((span) => codec.decode(codec.encode(span)))).toStrictEqual(accepted);
});

test("attributes nested a hundred thousand levels deep do not overflow the stack", () => {
  let value: AttributeValue = null;
  for (let level = 0; level < 100_000; level += 1) value = { type: "array", value: [value] };

  const request = codec.encode({ ...plainSpan(), attributes: [{ key: "deep", value }] });

  expect(isAccepted(request)).toBe(false);
});

/** Reports whether the JSON of a request agrees with its decoded spans. */
function readsTheSame(request: Uint8Array): boolean {
  const spans = codec.decode(request);
  const json: { resourceSpans: { scopeSpans?: { spans?: object[] }[] }[] } = JSON.parse(
    otlpJson(request),
  );
  const spansInJson = json.resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans ?? [])
    .flatMap((scopeSpans) => scopeSpans.spans ?? []);
  return Bun.deepEquals(spansInJson.map(named), spans.map(named));
}

function named(span: {
  name?: string;
  traceId?: string;
  spanId?: string;
  attributes?: readonly unknown[];
}) {
  return [span.name ?? "", span.traceId ?? "", span.spanId ?? "", span.attributes?.length ?? 0];
}
