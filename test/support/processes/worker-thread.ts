/* oxlint-disable unicorn/require-post-message-target-origin -- a Worker has no origin */
/** A Worker whose messages can be waited for. */
export interface WorkerThread {
  readonly worker: Worker;
  /** Resolves on the next message equal to this one; rejects if the Worker fails first. */
  posted(message: unknown): Promise<void>;
  terminate(): Promise<void>;
}

export function startWorkerThread(file: URL, job: unknown): WorkerThread {
  const worker = new Worker(file);
  worker.postMessage(job);
  return {
    worker,
    posted: (message) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      worker.addEventListener("message", ({ data }) => data === message && resolve());
      worker.addEventListener("error", ({ message: fault }) => reject(new Error(fault)));
      return promise;
    },
    // bun-types says void, but it is a promise that resolves at the end.
    terminate: async () => void (await (worker.terminate() as unknown as Promise<number>)),
  };
}
