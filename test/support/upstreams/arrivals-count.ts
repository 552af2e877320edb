/** Lets a test wait until this many events have occurred. */
export class ArrivalsCount {
  private count = 0;
  private waiting: { readonly count: number; readonly tell: () => void }[] = [];

  note(): void {
    this.count += 1;
    for (const { count, tell } of this.waiting) if (this.count >= count) tell();
    this.waiting = this.waiting.filter(({ count }) => this.count < count);
  }

  reached(count: number): Promise<void> {
    if (this.count >= count) return Promise.resolve();
    return new Promise((tell) => void this.waiting.push({ count, tell }));
  }
}
