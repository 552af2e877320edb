/** Collects the text on a terminal, and waits for parts of it. */
export interface ShownText {
  readonly add: (bytes: Uint8Array) => void;
  /** Resolves once the text contains this part. */
  readonly has: (wanted: string) => Promise<void>;
  /** Returns the text so far, without colours. */
  readonly plain: () => string;
}

export function shownText(): ShownText {
  let text = "";
  let check: (() => void) | undefined;
  const has = async (wanted: string): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    check = () => (text.includes(wanted) ? resolve() : undefined);
    check();
    await promise;
  };
  const add = (bytes: Uint8Array): void => {
    text += new TextDecoder().decode(bytes);
    check?.();
  };
  return { add, has, plain: () => Bun.stripANSI(text).replaceAll("\r\n", "\n") };
}

/** A shell script for a command on a terminal: Ctrl-C discards nothing that is not shown yet. */
export const KEEPING_OUTPUT = 'stty noflsh; exec "$@"';
