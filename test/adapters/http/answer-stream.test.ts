import { expect, test } from "bun:test";
import { type StreamWatcher, streamChunks } from "../../../src/adapters/http/answer-stream.ts";

test("a stream makes its chunks as they are read", async () => {
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

test("other work gets its turn between any two chunks", async () => {
  const order: string[] = [];
  const { watcher } = watch();
  const stream = streamChunks([chunk(), chunk(), chunk()].values(), watcher);

  setImmediate(() => order.push("other work"));
  for await (const part of stream) order.push(`chunk of ${part.length}`);

  expect(order).toEqual(["chunk of 1", "other work", "chunk of 1", "chunk of 1"]);
});

// The stream waits its turn from the second chunk on; the reader leaves just before it comes.
test("a stream that is left while it waits its turn makes no more chunks", async () => {
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
  await new Promise((resolve) => setImmediate(resolve));

  expect(madeCount).toBe(1);
  expect(ends).toEqual(["ended"]);
});

test("a stream that is read to its end has ended once", async () => {
  const { watcher, ends } = watch();

  const body = await new Response(streamChunks([chunk(), chunk()].values(), watcher)).bytes();

  expect(body).toHaveLength(2);
  expect(ends).toEqual(["ended"]);
});

test("a stream that nobody reads on has ended", async () => {
  const { watcher, ends } = watch();
  const stream = streamChunks(endless(), watcher);

  await stream.cancel();

  expect(ends).toEqual(["ended"]);
});

test("a stream whose chunks fail has failed, and is broken off", async () => {
  const { watcher, ends } = watch();
  const reader = streamChunks(failing(), watcher).getReader();

  await reader.read();

  await expect(reader.read()).rejects.toBeUndefined();
  expect(ends).toEqual([new Error("a broken belief")]);
});

test("a stream whose first chunk fails does not come to be", () => {
  const chunks = failing();
  chunks.next();

  expect(() => streamChunks(chunks, watch().watcher)).toThrow("a broken belief");
});

function watch(): { watcher: StreamWatcher; ends: unknown[] } {
  const ends: unknown[] = [];
  const ended = () => void ends.push("ended");
  return { watcher: { ended, failed: (error) => void ends.push(error) }, ends };
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
