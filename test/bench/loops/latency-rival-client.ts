/** The input of the rival Worker. */
export interface RivalRequest {
  /** The path of the Worker's bundled code. */
  readonly code: string;
  /** The request that the Worker appends repeatedly. */
  readonly request: Uint8Array;
}

/** The message to the Worker: the ring, its work, and the word that ends it. */
export interface RivalTask {
  readonly shared: SharedArrayBuffer;
  readonly request: Uint8Array;
  readonly stopWord: Int32Array;
}

export interface Rival {
  readonly stop: () => Promise<void>;
}

/** Starts the Worker; resolves when it is at work. */
export async function openRival(
  { code, request }: RivalRequest,
  shared: SharedArrayBuffer,
): Promise<Rival> {
  const worker = new Worker(code);
  const stopWord = new Int32Array(new SharedArrayBuffer(4));
  const begun = nextMessage(worker);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a Worker has none
  worker.postMessage({ shared, request, stopWord } satisfies RivalTask);
  await begun;
  const stop = async () => {
    const ended = nextMessage(worker);
    Atomics.store(stopWord, 0, 1);
    await ended;
    worker.terminate();
  };
  return { stop };
}

async function nextMessage(worker: Worker): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  worker.addEventListener("message", (event) => resolve(event.data), { once: true });
  worker.addEventListener("error", (event) => reject(new Error(event.message)), { once: true });
  return await promise;
}
