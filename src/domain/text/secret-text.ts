/**
 * Text that is shown in other words wherever it is printed, logged or made into JSON: a line of a
 * log that somebody adds one day cannot give it away.
 */
export class SecretText {
  readonly #text: string;
  readonly #shown: string;

  constructor(text: string, shown = text === "" ? "" : "***") {
    this.#text = text;
    this.#shown = shown;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return this.#shown;
  }

  toJSON(): string {
    return this.#shown;
  }

  /** What consoles and the messages of tests show. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.#shown;
  }
}
