import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { assert } from "../../../src/domain/assert.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { openRival, type RivalRequest } from "./latency-rival-client.ts";

export interface LatencyPlan {
  /** Number of each operation per round. */
  readonly operations: number;
  readonly rounds: number;
  readonly oneSpan: Uint8Array;
  /** The code of the Worker and the request it appends; without it, the ring has one user. */
  readonly rival?: RivalRequest;
}

/** Latencies in microseconds, sorted, with one array per round. */
export interface Latencies {
  readonly append: Float64Array[];
  readonly take: Float64Array[];
}

const walked = createWalkedRequest({ spansPerRequest: 1, nestingDepth: 100 });

/**
 * Measures the append of one span and the take of one, on a ring that is full before each append.
 */
export async function timeOperations(plan: LatencyPlan): Promise<Latencies> {
  const buffer = fullBuffer(plan.oneSpan);
  const rival = plan.rival === undefined ? undefined : await openRival(plan.rival, buffer.shared);
  try {
    timedRound(buffer, Math.min(plan.operations, WARM_UP_OPERATIONS));
    const rounds = Array.from({ length: plan.rounds }, () => timedRound(buffer, plan.operations));
    return { append: rounds.map(({ append }) => append), take: rounds.map(({ take }) => take) };
  } finally {
    await rival?.stop();
  }
}

const WARM_UP_OPERATIONS = 20_000;

function fullBuffer(oneSpan: Uint8Array): ObservabilityBuffer {
  const capacity = { spans: 10_000, bytes: 64 * 2 ** 20 };
  const buffer = ObservabilityBuffer.create(capacity, { codec: new ProtobufSpanCodec() });
  walkRequest(walked, oneSpan);
  while (!buffer.isFull()) buffer.append(walked);
  return buffer;
}

function timedRound(
  buffer: ObservabilityBuffer,
  operations: number,
): { append: Float64Array; take: Float64Array } {
  const append = new Float64Array(operations);
  const take = new Float64Array(operations);
  const evictedBefore = buffer.stats().spans.evicted;
  for (let operation = 0; operation < operations; operation += 1) {
    const beganNs = Bun.nanoseconds();
    buffer.append(walked);
    const appendedNs = Bun.nanoseconds();
    buffer.take(1);
    take[operation] = (Bun.nanoseconds() - appendedNs) / 1000;
    append[operation] = (appendedNs - beganNs) / 1000;
    // Not timed: this refills the slot of the taken span, so that the next append must evict.
    buffer.append(walked);
  }
  assert(buffer.stats().spans.evicted > evictedBefore, "the ring is full and evicts");
  return { append: append.toSorted(), take: take.toSorted() };
}
