import type { RunningReadApi } from "./running-read-api.ts";

/** A tail that has begun. */
export interface FollowedTail {
  readonly response: Response;
  readonly reader: { read(): Promise<{ done: boolean }>; readonly closed: Promise<unknown> };
  /** The beat at its beginning. */
  readonly first: string;
  /** Reads on until what it read since the last call holds a text. */
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

/** Of spans that are written one a line. */
export function sequencesIn(text: string): number[] {
  return Array.from(text.matchAll(/"sequence":(\d+)/g), ([, digits]) => Number(digits));
}
