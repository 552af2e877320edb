import { afterEach, expect, test } from "bun:test";
import { ProtobufSpanCodec } from "../../src/adapters/otlp/span-codec.ts";
import { ObservabilityBuffer } from "../../src/application/ring/observability-buffer.ts";
import { assert } from "../../src/domain/assert.ts";
import { assertLedgerBalances, type BufferStats } from "../../src/domain/ledger.ts";
import { type RingJob, TakingBoard } from "../support/processes/ring-worker.ts";
import { startWorkerThread, type WorkerThread } from "../support/processes/worker-thread.ts";

const codec = new ProtobufSpanCodec();
const threads: WorkerThread[] = [];

afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.terminate()));
});

function startThread(job: RingJob): WorkerThread {
  const file = new URL("../support/processes/ring-worker.ts", import.meta.url);
  const thread = startWorkerThread(file, job);
  threads.push(thread);
  return thread;
}

type Check = (stats: BufferStats) => void;

function allAreNumbered({ spans, sequence }: BufferStats): void {
  assert(sequence.next - sequence.first === spans.buffered, "every numbered span is buffered");
}

/** Checks a ring whose spans leave from the middle, and some of which are leased without a slot. */
function noMoreThanSlots({ capacity, sequence }: BufferStats): void {
  assert(sequence.next - sequence.first <= capacity.spans, "a span in the ring has a slot");
}

/** Reads the ledger until the threads are done and checks that each reading balances. */
async function readLedgerUntil(done: Promise<unknown>, ring: ObservabilityBuffer, check: Check) {
  const end = { isReached: false };
  let readings = 0;
  void Promise.allSettled([done]).then(() => (end.isReached = true));
  for (; !end.isReached; await new Promise(setImmediate)) {
    const stats = ring.stats();
    const { spans, bytes, sequence } = stats;
    assertLedgerBalances(spans);
    assertLedgerBalances(bytes);
    check(stats);
    assert(sequence.next === spans.accepted + 1, "every accepted span has a number");
    readings += 1;
  }
  await done;
  return readings;
}

const SPANS = 1_000_000;
const SEED = 20_260_721;

type Role = Pick<RingJob, "appends" | "takes" | "leases" | "isOrdered">;

/** The roles of the threads; those that append come first. */
interface Play {
  readonly capacity: { readonly spans: number; readonly bytes: number };
  readonly roles: readonly Role[];
  readonly check?: Check;
}

const both = { appends: true, takes: true };
const twoAndTwo = [
  { appends: true, takes: false },
  { appends: true, takes: false },
  { appends: false, takes: true },
  { appends: false, takes: true },
];
const fourDoBoth = [both, both, both, both];

async function play({ capacity, roles, check = allAreNumbered }: Play) {
  const ring = ObservabilityBuffer.create(capacity, { codec });
  const board = TakingBoard.create(SPANS);
  const spansEach = SPANS / roles.filter(({ appends }) => appends).length;
  const memory = { ring: ring.shared, board: board.shared };
  const started = roles.map((role, thread) =>
    startThread({ ...memory, ...role, thread, spansEach, seed: SEED + thread }).posted("done"),
  );
  const readings = await readLedgerUntil(Promise.all(started), ring, check);
  return { readings, stats: ring.stats(), takings: board.takings };
}

/** Returns how many spans were taken never, once, and more often. */
function timesTaken(takings: Uint8Array): number[] {
  const counts = [0, 0, 0];
  for (const times of takings) counts[Math.min(times, 2)]! += 1;
  return counts;
}

// Goal: no span is torn, doubled or lost while threads append and take at the same time.
// Method: a million spans, each with a checksum, and a board on which each take is marked.
test.each([
  { name: "two threads append and two take", roles: twoAndTwo },
  { name: "four threads do both", roles: fourDoBoth },
])("each of 1,000,000 spans is taken once while $name", async ({ roles }) => {
  const capacity = { spans: SPANS, bytes: 128 << 20 };

  const { readings, stats, takings } = await play({ capacity, roles });

  expect(timesTaken(takings)).toEqual([0, SPANS, 0]);
  expect(stats.spans).toMatchObject({ accepted: SPANS, taken: SPANS, evicted: 0, buffered: 0 });
  expect(stats.bytes.taken).toBe(stats.bytes.received);
  expect(readings).toBeGreaterThan(10);
});

test.each([
  { name: "slots are short", capacity: { spans: 700, bytes: 1 << 20 }, roles: twoAndTwo },
  { name: "bytes are short", capacity: { spans: 100_000, bytes: 40_000 }, roles: fourDoBoth },
])(
  "when $name, no span is taken twice, and the ledger counts each span",
  async ({ capacity, roles }) => {
    const { readings, stats, takings } = await play({ capacity, roles });

    const { evicted, taken } = stats.spans;
    expect(timesTaken(takings)).toEqual([evicted, taken, 0]);
    expect(stats.spans).toMatchObject({ accepted: SPANS, buffered: 0 });
    expect(Math.min(evicted, taken, readings)).toBeGreaterThan(10);
  },
);

const leaser = { appends: false, takes: false, leases: true };
const withLeases = [
  { appends: true, takes: false },
  { appends: true, takes: true, isOrdered: false },
  leaser,
  leaser,
];

// Goal: no span is torn, doubled or lost while two threads also lease, return and settle spans.
test.each([
  { name: "the ring has room for all", capacity: { spans: SPANS, bytes: 128 << 20 } },
  { name: "slots are short", capacity: { spans: 700, bytes: 1 << 20 } },
  { name: "bytes are short", capacity: { spans: 100_000, bytes: 40_000 } },
])(
  "each span ends in one entry of the ledger while threads append, take and lease: $name",
  async ({ capacity }) => {
    const check = noMoreThanSlots;

    const { readings, stats, takings } = await play({ capacity, roles: withLeases, check });

    const { taken, delivered, undeliverable, evicted } = stats.spans;
    expect(timesTaken(takings)).toEqual([evicted, taken + delivered + undeliverable, 0]);
    expect(stats.spans).toMatchObject({ accepted: SPANS, buffered: 0 });
    expect(stats.sequence).toEqual({ first: SPANS + 1, next: SPANS + 1 });
    expect(Math.min(taken, delivered, undeliverable, readings)).toBeGreaterThan(10);
  },
);

test("a thread that is terminated outside the lock leaves the ring intact", async () => {
  const ring = ObservabilityBuffer.create({ spans: 10_000, bytes: 1 << 20 }, { codec });
  const board = TakingBoard.create(3_000);
  const job = { ring: ring.shared, board: board.shared, spansEach: 1_000, seed: SEED };
  const appender = { ...job, appends: true, takes: false };

  const ended = startThread({ ...appender, thread: 0 });
  await ended.posted("done");
  await ended.terminate();

  expect(ring.stats().spans).toMatchObject({ accepted: 1_000, buffered: 1_000 });
  const others = [
    { ...appender, thread: 1 },
    { ...appender, thread: 2, takes: true },
  ];
  await Promise.all(others.map((other) => startThread(other).posted("done")));
  expect(timesTaken(board.takings)).toEqual([0, 3_000, 0]);
});
