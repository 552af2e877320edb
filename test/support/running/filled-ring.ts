import type { ServiceAmount } from "../../../src/domain/ledger.ts";
import { append } from "../../../src/application/ring/ring-append.ts";
import { createRingMemory, type RingMemory } from "../../../src/application/ring/ring-memory.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import type { AppendResult } from "../../../src/ports/trace-buffer.ts";
import { assertInvariants } from "../oracles/ring-invariants.ts";

/**
 * The functions of the ring for single-threaded tests: they walk the requests, take no lock, and
 * assert the invariants of the ring afterwards.
 */

const walked = createWalkedRequest({ spansPerRequest: 100_000, nestingDepth: 100 });

export interface PutOptions {
  readonly mayEvict?: boolean;
  readonly rejected?: readonly ServiceAmount[];
  readonly unixMs?: number;
}

export function put(ring: RingMemory, request: Uint8Array, options: PutOptions = {}): AppendResult {
  const { mayEvict = true, rejected = [], unixMs = 1 } = options;
  walkRequest(walked, request);
  const appended = append(ring, { walked, rejected, mayEvict, unixMs });
  assertInvariants(ring);
  return appended;
}

/** Returns an amount of rejected spans of one service. */
export function rejectedOf(service: string, spans: number, bytes: number): ServiceAmount[] {
  return [{ service: Buffer.from(service), spans, bytes }];
}

/** Returns a ring with these requests. */
export function ringOf(
  capacity: { readonly spans: number; readonly bytes: number },
  ...requests: Uint8Array[]
): RingMemory {
  const ring = createRingMemory(capacity);
  for (const request of requests) put(ring, request);
  return ring;
}

export function joined(...requests: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(requests));
}
