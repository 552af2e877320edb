import { expect, test } from "bun:test";
import * as fc from "fast-check";
import type { SpanFilter } from "../../../src/domain/query/span-filter.ts";
import { decodeSpans, isValidSpan } from "../../support/requests/decoded-request.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { matchedRows } from "../../support/requests/matched-spans.ts";
import { matchesPlainly, serviceOf } from "../../support/oracles/plain-filter.ts";
import { filterArbitrary, queryableRequest } from "../../support/requests/queryable-request.ts";
import { requestArbitrary } from "../../support/requests/request-arbitrary.ts";

// Goal: the matcher, which decodes almost nothing, agrees with the decoded fields of every span.
// Method: protobufjs decodes the spans, and a plain function filters the objects. fast-check prints
// the seed of a difference.

function expectedRows(request: Uint8Array, filter: SpanFilter): number[] {
  const spans = decodeSpans(Buffer.from(request)).filter(isValidSpan);
  return spans.flatMap((span, row) => (matchesPlainly(span, filter) ? [row] : []));
}

test("the matcher agrees with the plain filter on spans in any valid encoding", () => {
  let matchedCount = 0;
  const property = fc.property(queryableRequest, filterArbitrary, (request, filter) => {
    const rows = matchedRows(request, filter);
    matchedCount += rows.length;

    expect(rows).toEqual(expectedRows(request, filter));
  });

  fc.assert(property, { numRuns: fuzzRuns(4_000) });
  expect(matchedCount).toBeGreaterThan(1_000);
});

/** Reports whether a text is valid: invalid UTF-8 reads as U+FFFD, but its bytes equal no text. */
const isText = (text: string) => !text.includes("\ufffd");

/** Returns filters that each require one property of a span. */
function ownFilters(request: Uint8Array): SpanFilter[] {
  return decodeSpans(Buffer.from(request)).flatMap((decoded) => {
    const { span } = decoded;
    const attributes = span.attributes.map(({ key, value }) => ({
      key,
      value: String(value?.stringValue ?? value?.boolValue ?? value?.doubleValue ?? ""),
    }));
    const texts = attributes.filter(({ key, value }) => isText(key) && isText(value));
    return [
      [{ on: "service", value: serviceOf(decoded) }],
      [{ on: "trace_id", value: span.traceId.toHex() }],
      [{ on: "kind", value: span.kind }],
      [{ on: "status", value: span.status?.code ?? 0 }],
      ...(isText(span.name) ? [[{ on: "name", value: span.name }] satisfies SpanFilter] : []),
      ...texts.map(({ key, value }): SpanFilter => [{ on: "attribute", key, value }]),
    ] satisfies SpanFilter[];
  });
}

test("the matcher agrees with the plain filter on spans with arbitrary fields", () => {
  const property = fc.property(requestArbitrary, (request) => {
    for (const filter of ownFilters(request).filter(isWellFormed)) {
      expect(matchedRows(request, filter)).toEqual(expectedRows(request, filter));
    }
  });

  fc.assert(property, { numRuns: fuzzRuns(500) });
});

/** Reports whether a request may have this filter; invalid spans may have unusable identifiers. */
function isWellFormed([condition]: SpanFilter): boolean {
  return condition?.on !== "trace_id" || condition.value.length === 32;
}
