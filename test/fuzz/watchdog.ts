/** The time after which a payload counts as endless, even on a busy machine. */
const PATIENCE_MS = 60_000;

/**
 * Watches the number of the payload from another thread, because an endless loop would block this
 * one, and kills the process if the number does not change.
 */
export class Watchdog implements Disposable {
  private readonly at = new Int32Array(new SharedArrayBuffer(4));
  private readonly worker: Worker;

  constructor(seed: number, patienceMs = PATIENCE_MS) {
    const order: WatchOrder = { at: this.at, seed, patienceMs };
    this.worker = new Worker(new URL(import.meta.url));
    this.worker.unref();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is not a window
    this.worker.postMessage(order);
  }

  progress(at: number): void {
    Atomics.store(this.at, 0, at);
  }

  [Symbol.dispose](): void {
    this.worker.terminate();
  }
}

interface WatchOrder {
  readonly at: Int32Array;
  readonly seed: number;
  readonly patienceMs: number;
}

function watch({ at, seed, patienceMs }: WatchOrder): void {
  let last = -1;
  setInterval(() => {
    const now = Atomics.load(at, 0);
    if (now === last) {
      process.stderr.write(`fuzz: seed ${seed + now} does not end\n`);
      process.kill(process.pid, "SIGKILL");
    }
    last = now;
  }, patienceMs);
}

if (!Bun.isMainThread) {
  addEventListener("message", ({ data }: MessageEvent<WatchOrder>) => watch(data));
}
