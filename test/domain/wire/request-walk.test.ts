import { expect, test } from "bun:test";
import {
  BAD_LINK,
  BAD_PARENT_SPAN_ID,
  BAD_SPAN_ID,
  BAD_TRACE_ID,
} from "../../../src/domain/span-validity.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { NO_FAULT } from "../../../src/domain/wire/walk-fault.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { fullSpanBody, unknownFields } from "../../support/requests/hand-built-requests.ts";
import {
  attribute,
  request,
  requestOf,
  resourceSpans,
  serverRequest,
  span,
  spanBody,
  spanId,
  traceId,
} from "../../support/requests/request-bytes.ts";
import { bytesField, varintField } from "../../support/requests/wire-bytes.ts";

const limits = { spansPerRequest: 1_000, nestingDepth: 100 };

function walk(bytes: Uint8Array) {
  const walked = createWalkedRequest(limits);
  walkRequest(walked, bytes);
  return walked;
}

/** Returns a request whose only span has this body. */
function oneSpan(...fields: number[][]) {
  return request(bytesField(1, bytesField(2, bytesField(2, ...fields))));
}

test("an empty request is a request without spans", () => {
  const walked = walk(new Uint8Array(0));

  expect(walked).toMatchObject({ fault: NO_FAULT, spanCount: 0, contextCount: 0, spanBytes: 0 });
});

test("resources and scopes without spans make no rows", () => {
  const walked = walk(request(bytesField(1), resourceSpans("shop"), bytesField(1, bytesField(2))));

  expect(walked).toMatchObject({ fault: NO_FAULT, spanCount: 0, contextCount: 0 });
});

test("every span has its range, within its scope and its resource", () => {
  //  0        2         4         6 ...
  // [0a len] [12 len] [12 len] [ span ] [ "12 02 1a 00": a ScopeSpans with only a schema URL ]
  const body = [...bytesField(1, traceId(1)), ...bytesField(2, spanId(1))];
  const walked = walk(
    request(bytesField(1, bytesField(2, bytesField(2, body)), bytesField(2, bytesField(3)))),
  );

  expect(walked).toMatchObject({ spanCount: 1, contextCount: 1, spanBytes: 28 });
  expect([walked.spanOffset[0], walked.spanLength[0]]).toEqual([6, 28]);
  expect([walked.scopeOffset[0], walked.scopeLength[0]]).toEqual([4, 30]);
  expect([walked.resourceOffset[0], walked.resourceLength[0]]).toEqual([2, 36]);
});

test("each span has its own context, even after scopes without spans", () => {
  const empty = bytesField(2, bytesField(3, "no spans"));
  const walked = walk(
    request(
      bytesField(1, empty, bytesField(2, span(1), span(2)), empty, bytesField(2, span(3))),
      resourceSpans("no spans"),
      resourceSpans("bank", span(4)),
    ),
  );

  expect(walked.contextCount).toBe(3);
  expect(Array.from(walked.spanContext.subarray(0, 4))).toEqual([0, 0, 1, 2]);
  expect(walked.resourceOffset[0]).toBe(walked.resourceOffset[1]!);
  expect(walked.resourceOffset[2]).toBeGreaterThan(walked.resourceOffset[1]!);
});

const valid = { traceId: bytesField(1, traceId(1)), spanId: bytesField(2, spanId(1)) };
const zeros = (lengthBytes: number) => Array<number>(lengthBytes).fill(0);
const ones = (lengthBytes: number) => Array<number>(lengthBytes).fill(1);
const link = (trace: number[], spanOfLink: number[]) =>
  bytesField(13, bytesField(1, trace), bytesField(2, spanOfLink));
const goodLink = link(ones(16), ones(8));
const badLink = link(ones(3), ones(8));
const twoTraceIds = (first: number[], second: number[]) =>
  bytesField(13, bytesField(1, first), bytesField(2, ones(8)), bytesField(1, second));

test.each([
  { name: "all zero", traceIdBytes: zeros(16) },
  ...[0, 1, 8, 15, 17, 32].map((length) => ({
    name: `${length} bytes long`,
    traceIdBytes: ones(length),
  })),
])("a trace id that is $name makes a span invalid", ({ traceIdBytes }) => {
  const walked = walk(oneSpan(bytesField(1, traceIdBytes), valid.spanId));

  expect(faultsOf(walked)).toEqual([BAD_TRACE_ID]);
});

test.each([
  { name: "all zero", spanIdBytes: zeros(8) },
  ...[0, 1, 7, 9, 16].map((length) => ({
    name: `${length} bytes long`,
    spanIdBytes: ones(length),
  })),
])("a span id that is $name makes a span invalid", ({ spanIdBytes }) => {
  const walked = walk(oneSpan(valid.traceId, bytesField(2, spanIdBytes)));

  expect(faultsOf(walked)).toEqual([BAD_SPAN_ID]);
});

test.each([1, 4, 7, 9, 16])("a parent id of %i bytes makes a span invalid", (length) => {
  const walked = walk(oneSpan(valid.traceId, valid.spanId, bytesField(4, ones(length))));

  expect(faultsOf(walked)).toEqual([BAD_PARENT_SPAN_ID]);
});

test.each([
  { name: "a trace id too short", bad: link(ones(15), ones(8)) },
  { name: "a trace id too long", bad: link(ones(17), ones(8)) },
  { name: "a trace id of fifteen zeros", bad: link(zeros(15), ones(8)) },
  { name: "a span id too short", bad: link(ones(16), ones(7)) },
  { name: "a span id too long", bad: link(ones(16), ones(9)) },
  { name: "a span id of one zero", bad: link(ones(16), zeros(1)) },
  { name: "a good trace id, then a bad one", bad: twoTraceIds(ones(16), ones(3)) },
])(
  "a link with $name makes its span invalid, good links before and behind it or not",
  ({ bad }) => {
    const walked = walk(oneSpan(valid.traceId, goodLink, bad, goodLink, valid.spanId));

    expect(faultsOf(walked)).toEqual([BAD_LINK]);
  },
);

test.each([
  { name: "no parent", fields: [] },
  { name: "an empty parent id", fields: [bytesField(4)] },
  { name: "a parent of eight zeros, as some SDKs write a root", fields: [bytesField(4, zeros(8))] },
  { name: "two good links", fields: [goodLink, goodLink] },
  { name: "a link of zeros, as for an empty SpanContext", fields: [link(zeros(16), zeros(8))] },
  { name: "a link with empty ids", fields: [link([], [])] },
  { name: "a link without a trace id", fields: [bytesField(13, bytesField(2, ones(8)))] },
  { name: "a link without a span id", fields: [bytesField(13, bytesField(1, ones(16)))] },
  { name: "a link without anything", fields: [bytesField(13)] },
  {
    name: "a link of attributes and trace state alone",
    fields: [bytesField(13, bytesField(3, "vendor=1"), bytesField(4, attribute("k", "v")))],
  },
  { name: "a link of a bad trace id, then an empty one", fields: [twoTraceIds(ones(3), [])] },
  { name: "every field of OTLP", fields: [fullSpanBody] },
  {
    name: "two attributes of one key",
    fields: [bytesField(9, attribute("k", "1")), bytesField(9, attribute("k", "2"))],
  },
  { name: "bytes in a name that are not UTF-8", fields: [bytesField(5, [0xff, 0xc0, 0x80])] },
  { name: "a kind that OTLP does not define", fields: [varintField(6, 99)] },
  { name: "a negative kind, in ten bytes", fields: [varintField(6, -1n)] },
  { name: "unknown fields", fields: unknownFields },
  { name: "a reserved field in its status", fields: [bytesField(15, varintField(1, 1))] },
])("a span with $name is valid", ({ fields }) => {
  const walked = walk(oneSpan(valid.traceId, valid.spanId, ...fields));

  expect(walked).toMatchObject({ fault: NO_FAULT, spanCount: 1, rejectedSpans: 0 });
});

test.each([
  { name: "identifiers at the end", fields: [bytesField(5, "name"), valid.spanId, valid.traceId] },
  {
    name: "a bad trace id, then a good one",
    fields: [bytesField(1, ones(3)), valid.traceId, valid.spanId],
  },
  { name: "a bad span id, then a good one", fields: [valid.traceId, bytesField(2), valid.spanId] },
  {
    name: "a bad parent, then a good one",
    fields: [valid.traceId, valid.spanId, bytesField(4, [1]), bytesField(4, ones(8))],
  },
  {
    name: "a bad parent, then none",
    fields: [valid.traceId, valid.spanId, bytesField(4, [1]), bytesField(4)],
  },
])("the last occurrence of a field counts: $name is valid", ({ fields }) => {
  expect(walk(oneSpan(...fields))).toMatchObject({ spanCount: 1, rejectedSpans: 0 });
});

test.each([
  { name: "trace id", again: bytesField(1, ones(3)), fault: BAD_TRACE_ID },
  { name: "trace id, of zeros", again: bytesField(1, zeros(16)), fault: BAD_TRACE_ID },
  { name: "trace id, empty", again: bytesField(1), fault: BAD_TRACE_ID },
  { name: "span id", again: bytesField(2, ones(3)), fault: BAD_SPAN_ID },
  { name: "parent", again: bytesField(4, ones(3)), fault: BAD_PARENT_SPAN_ID },
])("a valid $name and then an invalid one are invalid", ({ again, fault }) => {
  const parent = bytesField(4, ones(8));
  const plain = [bytesField(5, "name"), bytesField(9, attribute("k", "v"))];
  const walked = walk(oneSpan(valid.traceId, valid.spanId, parent, ...plain, again, ...plain));

  expect(faultsOf(walked)).toEqual([fault]);
});

test("a span with several faults counts once as a span and once for each fault", () => {
  const walked = walk(oneSpan(bytesField(4, [1]), badLink));

  expect(walked).toMatchObject({ spanCount: 0, rejectedSpans: 1 });
  expect(faultsOf(walked)).toEqual([BAD_TRACE_ID, BAD_SPAN_ID, BAD_PARENT_SPAN_ID, BAD_LINK]);
});

test("the faults of one span do not count for the next", () => {
  const bad = bytesField(2, valid.traceId, valid.spanId, badLink);
  const walked = walk(request(bytesField(1, bytesField(2, bad, span(1), bad, span(2)))));

  expect(walked).toMatchObject({ spanCount: 2, rejectedSpans: 2 });
});

test("rejected spans are counted with their bytes, and their neighbours are accepted", () => {
  const bad = bytesField(2, bytesField(5, "bad"));
  const walked = walk(request(bytesField(1, bytesField(2, bad, span(1), bad, span(2), bad))));

  expect(walked).toMatchObject({ spanCount: 2, rejectedSpans: 3, rejectedBytes: 15 });
  expect(walked.spanBytes).toBe(2 * (span(1).length - 2));
  expect(walked.spanLength[1]).toBe(span(2).length - 2);
});

test("a scope whose spans are all rejected has no row", () => {
  const bad = bytesField(2, bytesField(5, "bad"));
  const walked = walk(request(bytesField(1, bytesField(2, bad), bytesField(2, bad, span(1)))));

  expect(walked).toMatchObject({ spanCount: 1, contextCount: 1 });
  expect(walked.scopeOffset[0]).toBe(walked.spanOffset[0]! - bad.length - 2);
});

test.each([
  { name: "a key by index", field: bytesField(9, varintField(3, 1)) },
  { name: "a value by index", field: bytesField(9, bytesField(2, varintField(8, 1))) },
])("$name, a field for profiles, is noted without an error", ({ field }) => {
  const walked = walk(oneSpan(valid.traceId, valid.spanId, field));

  expect(walked).toMatchObject({ fault: NO_FAULT, spanCount: 1, sawProfilesOnlyField: true });
});

test("a field for profiles is noted for each request separately", () => {
  const walked = createWalkedRequest(limits);

  walkRequest(walked, oneSpan(valid.traceId, valid.spanId, bytesField(9, varintField(3, 1))));
  walkRequest(walked, requestOf(1));

  expect(walked.sawProfilesOnlyField).toBe(false);
});

test("the rows of one walk are reused by the next without remains", () => {
  const walked = createWalkedRequest(limits);
  walkRequest(walked, serverRequest(300));
  const { spanOffset, spanContext, resourceOffset, open } = walked;

  walkRequest(walked, request(bytesField(1, bytesField(2, bytesField(2, bytesField(5, "bad"))))));
  walkRequest(walked, Uint8Array.of(0x0a));
  walkRequest(walked, requestOf(2));

  expect(walked).toMatchObject({ fault: NO_FAULT, spanCount: 2, contextCount: 1 });
  expect(walked).toMatchObject({ rejectedSpans: 0, rejectedBytes: 0 });
  expect(faultsOf(walked)).toEqual([]);
  expect(walked.spanOffset).toBe(spanOffset);
  expect(walked.spanContext).toBe(spanContext);
  expect(walked.resourceOffset).toBe(resourceOffset);
  expect(walked.open).toBe(open);
});

/** Returns the faults with a count. */
function faultsOf({ rejectedByFault }: { rejectedByFault: Uint32Array }): number[] {
  return Array.from(rejectedByFault.keys())
    .filter((index) => rejectedByFault[index]! > 0)
    .map((index) => 1 << index);
}

// The tail of the identifier is stored for every span, so that it must be found anywhere.
test.each([
  { name: "at the beginning", body: spanBody(7) },
  { name: "after other fields", body: [...bytesField(5, "name"), ...spanBody(7)] },
  { name: "in its last occurrence", body: [...bytesField(1, traceId(5)), ...spanBody(7)] },
  { name: "before an event", body: spanBody(7, bytesField(11)) },
])("the identifier of a span's trace is found $name", ({ body }) => {
  const walked = createWalkedRequest(limits);
  const bytes = request(resourceSpans("shop", span(1), bytesField(2, [...body]), span(2)));

  walkRequest(walked, bytes);

  const found = [0, 1, 2].map((row) => {
    const at = walked.spanTraceId[row]!;
    return [...bytes.subarray(at, at + 16)];
  });
  expect(found).toEqual([traceId(1), traceId(7), traceId(2)]);
});
