import { countSpans } from "../../../src/adapters/otlp-files/file-request.ts";
import type { SpanSpill, SpillFault, SpilledRequest } from "../../../src/ports/span-sink.ts";

/** A spill in memory, with the failures that a test chooses. */
export class FakeSpill implements SpanSpill {
  readonly shownPath = "fake";
  /** The requests of each file, by path. `read` reads those of `shownPath`. */
  readonly files = new Map<string, readonly Uint8Array[]>();
  private hasRest = false;
  /** The fault after all requests, if any. */
  fault: string | undefined;
  /** If set, everything but reading rejects with this message. */
  failure: string | undefined;

  async tryOut(): Promise<void> {
    this.failIfSet();
  }

  async *read(): AsyncGenerator<SpilledRequest | SpillFault> {
    for (const bytes of this.files.get(this.shownPath) ?? []) {
      yield { bytes, spanCount: Number(countSpans(bytes)) };
    }
    if (this.fault !== undefined) yield { fault: this.fault };
  }

  async remove(): Promise<void> {
    this.failIfSet();
    this.files.delete(this.shownPath);
  }

  async setAside(): Promise<string> {
    this.failIfSet();
    const path = this.store("aside", this.files.get(this.shownPath) ?? []);
    this.files.delete(this.shownPath);
    return path;
  }

  async write(requests: Iterable<Uint8Array>): Promise<string> {
    const copies = Array.from(requests, (request) => request.slice());
    this.failIfSet();
    const rest = this.files.get(this.shownPath);
    if (this.hasRest && rest !== undefined) {
      this.files.set(this.shownPath, [...copies, ...rest]);
      return this.shownPath;
    }
    return this.store(this.shownPath, copies);
  }

  async replace(requests: AsyncIterable<Uint8Array>): Promise<void> {
    const copies = await Array.fromAsync(requests, (request) => request.slice());
    this.failIfSet();
    this.files.set(this.shownPath, copies);
    this.hasRest = true;
  }

  /** Stores requests; names already in use get a number. */
  private store(path: string, requests: readonly Uint8Array[]): string {
    let name = path;
    for (let number = 1; this.files.has(name); number += 1) name = `${path}.${number}`;
    this.files.set(name, requests);
    return name;
  }

  private failIfSet(): void {
    if (this.failure !== undefined) throw new Error(this.failure);
  }
}
