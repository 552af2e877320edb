import type { SleepingClock } from "../../../src/ports/clock.ts";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { Arrivals } from "../../../src/application/arrivals/arrivals.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { Semaphore } from "../../../src/application/waiting/semaphore.ts";
import { rejectedByService, createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import type { SpanFilter } from "../../../src/domain/query/span-filter.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";

/** A ring, the parts of a wait on it, and a function by which requests arrive. */
export interface SearchedRing {
  readonly buffer: ObservabilityBuffer;
  readonly arrivals: Arrivals;
  readonly followed: Semaphore;
  readonly clock: SleepingClock;
  arrive(...requests: Uint8Array[]): void;
}

export const MAX_FOLLOWED = 100;

const ROOMY = { spans: 10_000, bytes: 1 << 20 };

export function searchedRing(capacity = ROOMY, overflowPolicy?: "refuse"): SearchedRing {
  const codec = new ProtobufSpanCodec();
  const options = { codec, unixMs: () => 1_000, ...(overflowPolicy && { overflowPolicy }) };
  const buffer = ObservabilityBuffer.create(capacity, options);
  const arrivals = new Arrivals(buffer, capacity);
  const walked = createWalkedRequest({ spansPerRequest: 20_000, nestingDepth: 100 });
  const arrive = (...requests: Uint8Array[]) => {
    for (const request of requests) {
      walkRequest(walked, request);
      arrivals.append(walked, rejectedByService(walked));
    }
  };
  return { buffer, arrivals, followed: new Semaphore(MAX_FOLLOWED), clock: SYSTEM_CLOCK, arrive };
}

export function named(name: string): SpanFilter {
  return [{ on: "name", value: name }];
}

/** A signal that never aborts. */
export const NEVER: AbortSignal = new AbortController().signal;

/** Resolves when everything waiting for this thread has had a turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
