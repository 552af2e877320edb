import { expect, test } from "bun:test";
import {
  streamArrivingChunks,
  streamChunks,
  type StreamWatcher,
} from "../../../src/adapters/read-api/answer-stream.ts";
import { NEVER } from "../../support/running/searched-ring.ts";

test("chunks are made as they are read", async () => {
  let madeCount = 0;
  const { watcher, ends } = watch();
  const reader = streamChunks(
    endless(() => (madeCount += 1)),
    watcher,
  ).getReader();

  await reader.read();
  await reader.read();

  expect(madeCount).toBe(2);
  expect(ends).toEqual([]);
});

test("other work runs between any two chunks", async () => {
  const order: string[] = [];
  const { watcher } = watch();
  const stream = streamChunks([chunk(), chunk(), chunk()].values(), watcher);

  setImmediate(() => order.push("other work"));
  for await (const part of stream) order.push(`chunk of ${part.length}`);

  expect(order).toEqual(["chunk of 1", "other work", "chunk of 1", "chunk of 1"]);
});

// From the second chunk, the stream waits for its turn; the reader cancels just before.
test("a stream that is cancelled while it waits for its turn makes no more chunks", async () => {
  let madeCount = 0;
  const { watcher, ends } = watch();
  const reader = streamChunks(
    endless(() => (madeCount += 1)),
    watcher,
  ).getReader();
  await reader.read();

  const unanswered = reader.read();
  setImmediate(() => void reader.cancel());
  await unanswered;
  await otherWork();

  expect(madeCount).toBe(1);
  expect(ends).toEqual(["ended"]);
});

test("a stream that is read to its end ends once", async () => {
  const { watcher, ends } = watch();

  const body = await new Response(streamChunks([chunk(), chunk()].values(), watcher)).bytes();

  expect(body).toHaveLength(2);
  expect(ends).toEqual(["ended"]);
});

test("a cancelled stream ends", async () => {
  const { watcher, ends } = watch();
  const stream = streamChunks(endless(), watcher);

  await stream.cancel();

  expect(ends).toEqual(["ended"]);
});

test("a failure of the chunks is reported and aborts the stream", async () => {
  const { watcher, ends } = watch();
  const reader = streamChunks(failing(), watcher).getReader();

  await reader.read();

  await expect(reader.read()).rejects.toBeUndefined();
  expect(ends).toEqual([new Error("a broken belief")]);
});

test("a failure of the first chunk throws", () => {
  const chunks = failing();
  chunks.next();

  expect(() => streamChunks(chunks, watch().watcher)).toThrow("a broken belief");
});

test("a stream of arriving chunks makes nothing before it is read", async () => {
  const { watcher, ends } = watch();
  const arrival = Promise.withResolvers<void>();
  const order: string[] = [];
  const stream = streamArrivingChunks(arriving(arrival.promise, order), watcher, NEVER);

  expect(order).toEqual([]);
  const reading = stream.getReader().read();
  await otherWork();
  order.push("arrived");
  arrival.resolve();
  await reading;

  expect(order).toEqual(["begun", "arrived", "made"]);
  expect(ends).toEqual([]);
});

test("a stream that is cancelled while it waits for a chunk ends once", async () => {
  const { watcher, ends } = watch();
  const arrival = Promise.withResolvers<void>();
  const reader = streamArrivingChunks(arriving(arrival.promise, []), watcher, NEVER).getReader();
  const reading = reader.read();
  await otherWork();

  await reader.cancel();
  arrival.resolve();

  expect(await reading).toEqual({ done: true, value: undefined });
  expect(ends).toEqual(["ended"]);
});

test("the producer of a stream that is cancelled ends", async () => {
  const ended: string[] = [];
  const chunks = (async function* () {
    try {
      yield new Uint8Array(1);
      yield new Uint8Array(1);
    } finally {
      ended.push("producer");
    }
  })();
  const reader = streamArrivingChunks(chunks, watch().watcher, NEVER).getReader();
  await reader.read();

  await reader.cancel();
  await otherWork();

  expect(ended).toEqual(["producer"]);
});

test("a failure after the stream was cancelled is not reported", async () => {
  const { watcher, ends } = watch();
  const arrival = Promise.withResolvers<void>();
  const reader = streamArrivingChunks(arriving(arrival.promise, []), watcher, NEVER).getReader();
  const reading = reader.read();
  await otherWork();

  await reader.cancel();
  arrival.reject(new Error("a broken belief"));
  await reading;
  await otherWork();

  expect(ends).toEqual(["ended"]);
});

test("an aborted stream fails for its reader and ends once", async () => {
  const { watcher, ends } = watch();
  const breaking = new AbortController();
  const chunks = arriving(Promise.resolve(), []);
  const reader = streamArrivingChunks(chunks, watcher, breaking.signal).getReader();
  await reader.read();

  breaking.abort();
  const end = await reader.read().catch(() => "aborted");
  await reader.cancel().catch(() => {});

  expect(end).toBe("aborted");
  expect(ends).toEqual(["ended"]);
});

test("a stream that has ended is not aborted", async () => {
  const { watcher, ends } = watch();
  const breaking = new AbortController();
  const chunks = arriving(Promise.resolve(), []);
  const reader = streamArrivingChunks(chunks, watcher, breaking.signal).getReader();
  await reader.read();
  await reader.read();

  breaking.abort();

  expect(await reader.read()).toEqual({ done: true, value: undefined });
  expect(ends).toEqual(["ended"]);
});

function otherWork(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function watch(): { watcher: StreamWatcher; ends: unknown[] } {
  const ends: unknown[] = [];
  const ended = () => void ends.push("ended");
  return { watcher: { ended, failed: (error) => void ends.push(error) }, ends };
}

async function* arriving(
  arrival: Promise<void>,
  order: string[],
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  order.push("begun");
  await arrival;
  order.push("made");
  yield chunk();
}

function chunk(): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(1);
}

function* endless(made: () => void = () => undefined): Generator<Uint8Array<ArrayBuffer>> {
  for (;;) {
    made();
    yield chunk();
  }
}

function* failing(): Generator<Uint8Array<ArrayBuffer>> {
  yield chunk();
  throw new Error("a broken belief");
}
