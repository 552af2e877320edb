import type { RunningReadApi } from "./running-read-api.ts";

/** A tail that has begun. */
export interface FollowedTail {
  readonly response: Response;
  readonly reader: { read(): Promise<{ done: boolean }>; readonly closed: Promise<unknown> };
  /** The heartbeat at its beginning. */
  readonly first: string;
  /** Reads until the text since the last call contains `end`; resolves to that text. */
  next(end: string): Promise<string>;
}

export async function follow(
  run: RunningReadApi,
  query = "",
  init: RequestInit = {},
): Promise<FollowedTail> {
  const response = await run.request(`/api/tail${query}`, init);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const read = async (): Promise<string> => {
    const { done, value } = await reader.read();
    if (done) throw new Error("the tail has ended");
    return value;
  };
  const begin = await read();
  const [first] = /^:?\n+/.exec(begin) ?? [""];
  let text = begin.slice(first.length);
  const next = async (end: string): Promise<string> => {
    while (!text.includes(end)) text += await read();
    const found = text;
    text = "";
    return found;
  };
  return { response, reader, first, next };
}

/** Returns the sequences of spans written one per line. */
export function sequencesIn(text: string): number[] {
  return Array.from(text.matchAll(/"sequence":(\d+)/g), ([, digits]) => Number(digits));
}
