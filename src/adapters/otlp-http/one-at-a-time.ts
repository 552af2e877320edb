/** Never rejects. */
type Work = () => Promise<void>;

/**
 * Runs pieces of work one after the other. Senders take turns, so that one with many pieces delays
 * the others by one piece each time; those of one sender run in the order in which they are given.
 */
export class OneAtATime {
  // Moved by `run`.
  /** The work that has not begun by sender; the sender whose turn is next is first. */
  private readonly waiting = new Map<string, Work[]>();
  private isRunning = false;

  run<Result>(sender: string, work: () => Promise<Result>): Promise<Result> {
    const result = Promise.withResolvers<Result>();
    const settle = () => Promise.try(work).then(result.resolve, result.reject);
    this.waiting.set(sender, [...(this.waiting.get(sender) ?? []), settle]);
    void this.runAll();
    return result.promise;
  }

  private async runAll(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const work of turnsOf(this.waiting)) await work();
    this.isRunning = false;
  }
}

/** Takes one piece of work from each sender in turn, also from those that come later. */
function* turnsOf(waiting: Map<string, Work[]>): Generator<Work> {
  for (const [sender, [work, ...rest]] of waiting) {
    waiting.delete(sender);
    // Behind the others.
    if (rest.length > 0) waiting.set(sender, rest);
    if (work !== undefined) yield work;
  }
}
