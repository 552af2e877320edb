import { expect, test } from "bun:test";
import { append } from "../../../src/application/ring/ring-append.ts";
import { readStats } from "../../../src/application/ring/ring-ledger.ts";
import { createRingMemory } from "../../../src/application/ring/ring-memory.ts";
import { AssertionError } from "../../../src/domain/assert.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { request, span } from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

test.each<{ name: string; bytes: Uint8Array }>([
  { name: "was refused by the walk", bytes: Uint8Array.of(0x0a) },
  { name: "holds rejected spans beside valid ones", bytes: mixed() },
])("appending a request that $name is a bug of the caller", ({ bytes }) => {
  const ring = createRingMemory({ spans: 5, bytes: 1_000 });
  const walked = createWalkedRequest({ spansPerRequest: 5, nestingDepth: 100 });
  walkRequest(walked, bytes);

  const appending = () => append(ring, { walked, rejected: [], mayEvict: true, unixMs: 1 });

  expect(appending).toThrow(AssertionError);
  expect(readStats(ring).spans.received).toBe(0);
});

function mixed() {
  return request(bytesField(1, bytesField(2, span(1), bytesField(2, bytesField(5, "bad")))));
}
