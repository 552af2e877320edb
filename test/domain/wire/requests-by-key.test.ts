import { expect, test } from "bun:test";
import { requestsByKey } from "../../../src/domain/wire/requests-by-key.ts";
import { spanDigests } from "../../support/oracles/span-digests.ts";
import { decodeSpans } from "../../support/requests/decoded-request.ts";
import { request, resourceSpans, spanId, traceId } from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

/** Returns a span of a trace; its name is its number. */
function spanOf(trace: number, number: number): number[] {
  const ids = [bytesField(1, traceId(trace)), bytesField(2, spanId(number))];
  return bytesField(2, ...ids, bytesField(5, String(number)));
}

const hexOf = (trace: number): string => Uint8Array.from(traceId(trace)).toHex();

const namesIn = (bytes: Uint8Array): string[] =>
  decodeSpans(Buffer.from(bytes)).map(({ span }) => span.name ?? "");

const MIXED = request(
  resourceSpans("shop", spanOf(1, 1), spanOf(2, 2), spanOf(1, 3), spanOf(1, 4)),
  resourceSpans("bank", spanOf(2, 5), spanOf(3, 6)),
  resourceSpans("shop", spanOf(3, 7)),
);

test("each trace is a request of its own, with its spans in order", () => {
  const parts = requestsByKey(MIXED, "trace_id");

  expect(parts.map(({ key, request: part, spanCount }) => [key, namesIn(part), spanCount])).toEqual(
    [
      [hexOf(1), ["1", "3", "4"], 3],
      [hexOf(2), ["2", "5"], 2],
      [hexOf(3), ["6", "7"], 2],
    ],
  );
});

test("each service is a request of its own, from all its resources", () => {
  const parts = requestsByKey(MIXED, "service");

  expect(parts.map(({ key, request: part, spanCount }) => [key, namesIn(part), spanCount])).toEqual(
    [
      ["shop", ["1", "2", "3", "4", "7"], 5],
      ["bank", ["5", "6"], 2],
    ],
  );
});

test.each(["trace_id", "service"] as const)("by %s, every span keeps its bytes", (key) => {
  const parts = requestsByKey(MIXED, key).map(({ request: part }) => part);

  expect(spanDigests(parts)).toEqual(spanDigests([MIXED]));
});

test("spans keep their resources", () => {
  const [, second] = requestsByKey(MIXED, "trace_id");

  const services = decodeSpans(Buffer.from(second!.request)).map(({ resource }) =>
    JSON.stringify(resource),
  );
  expect(services.map((text) => /shop|bank/.exec(text)?.[0])).toEqual(["shop", "bank"]);
});

test("a request with one key is not copied", () => {
  const one = request(resourceSpans("shop", spanOf(1, 1), spanOf(1, 2)));

  expect(requestsByKey(one, "trace_id")[0]!.request).toBe(one);
  expect(requestsByKey(one, "service")[0]!.request).toBe(one);
});

test("a resource without a name has the name of an unknown service", () => {
  const nameless = request(bytesField(1, bytesField(2, spanOf(1, 1))));

  expect(requestsByKey(nameless, "service").map(({ key }) => key)).toEqual(["unknown_service"]);
});
