/** Runs pieces of work one after the other, in the order in which they are given. */
export class OneAtATime {
  private last: Promise<unknown> = Promise.resolve();

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.last.then(work);
    this.last = Promise.allSettled([result]);
    return result;
  }
}
