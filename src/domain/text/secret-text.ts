/**
 * Text that is replaced wherever it is printed, logged or serialized, so that no future log line
 * can reveal it.
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

  /** Used by consoles and by messages of failed tests. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.#shown;
  }
}
