import type { LimitsConfig } from "../../config/config.ts";
import type { TimerClock } from "../../ports/clock.ts";
import { isTooSlow } from "../listening/arrival-rate.ts";

/** A request whose message is still arriving. */
export interface UnfinishedRequest {
  readonly startedMs: number;
  receivedBytes: number;
  /** Called when it takes too long. */
  expire(): void;
}

const CHECK_INTERVAL_MS = 500;

/**
 * Holds the requests whose messages are still arriving, and expires those that take too long. A
 * peer could keep them open without limit, because it answers the pings of HTTP/2.
 */
export class UnfinishedRequests implements Disposable {
  // Fixed at construction.
  private readonly requestMs: number;
  private readonly clock: TimerClock;
  private readonly cancel: () => void;

  // Moved by `add` and `remove`; the oldest request is first.
  private readonly requests = new Set<UnfinishedRequest>();

  constructor({ requestMs }: Pick<LimitsConfig, "requestMs">, clock: TimerClock) {
    this.requestMs = requestMs;
    this.clock = clock;
    this.cancel = clock.repeat(CHECK_INTERVAL_MS, () => this.expire());
  }

  add(request: UnfinishedRequest): void {
    this.requests.add(request);
  }

  remove(request: UnfinishedRequest): void {
    this.requests.delete(request);
  }

  [Symbol.dispose](): void {
    this.cancel();
    this.requests.clear();
  }

  private expire(): void {
    const nowMs = this.clock.monotonicMs();
    for (const request of this.requests) {
      if (isLate(request, nowMs - request.startedMs, this.requestMs)) this.end(request);
    }
  }

  private end(request: UnfinishedRequest): void {
    this.remove(request);
    request.expire();
  }
}

function isLate({ receivedBytes }: UnfinishedRequest, ageMs: number, requestMs: number): boolean {
  return ageMs >= requestMs || isTooSlow(receivedBytes, ageMs);
}
