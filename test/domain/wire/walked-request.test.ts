import { expect, test } from "bun:test";
import { rejectedByService, createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { request, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

/** Returns a span without identifiers, with this many bytes. */
function bad(lengthBytes: number): number[] {
  return bytesField(2, bytesField(5, "x".repeat(lengthBytes - 2)));
}

const anonymous = (...spans: number[][]) => bytesField(1, bytesField(2, ...spans));

interface Case {
  readonly name: string;
  readonly parts: number[][];
  readonly rejected: { service: string; spans: number; bytes: number }[];
}

test.each<Case>([
  {
    name: "none",
    parts: [resourceSpans("shop", span(1))],
    rejected: [],
  },
  {
    name: "some between valid ones",
    parts: [resourceSpans("shop", bad(10), span(1), bad(20))],
    rejected: [{ service: "shop", spans: 2, bytes: 30 }],
  },
  {
    name: "several services, and none",
    parts: [
      resourceSpans("shop", bad(10)),
      resourceSpans("cart", span(1), bad(9)),
      anonymous(bad(8)),
    ],
    rejected: [
      { service: "shop", spans: 1, bytes: 10 },
      { service: "cart", spans: 1, bytes: 9 },
      { service: "unknown_service", spans: 1, bytes: 8 },
    ],
  },
  {
    name: "as many as allowed",
    parts: [resourceSpans("shop", ...Array.from({ length: 5 }, () => bad(10)))],
    rejected: [{ service: "shop", spans: 5, bytes: 50 }],
  },
])("rejected spans are counted by service: $name", ({ parts, rejected }) => {
  const walked = createWalkedRequest({ spansPerRequest: 5, nestingDepth: 10 });
  walkRequest(walked, request(...parts));

  const counted = rejectedByService(walked).map(({ service, ...amount }) => ({
    service: Buffer.from(service).toString(),
    ...amount,
  }));

  expect(counted).toEqual(rejected);
});
