import { spanNumbers } from "../oracles/walked-spans.ts";
import { requestOf } from "../requests/request-bytes.ts";
import type { RunningProgram } from "./running-program.ts";

/** What has been sent and what has been acknowledged. */
export interface Sent {
  /** The number of the next span. */
  next: number;
  /** The number of the first span of each acknowledged request. */
  readonly acknowledged: number[];
}

export async function post({ httpUrl }: RunningProgram, request: Uint8Array): Promise<Response> {
  const headers = { "Content-Type": "application/x-protobuf" };
  return await fetch(`${httpUrl}/v1/traces`, { method: "POST", headers, body: request });
}

/** Sends the next spans. Returns the status; undefined if the connection broke. */
export async function sendNext(
  program: RunningProgram,
  sent: Sent,
  spanCount: number,
): Promise<number | undefined> {
  const first = sent.next;
  sent.next += spanCount;
  const status = await post(program, requestOf(spanCount, first)).then(
    (response) => response.status,
    () => undefined,
  );
  if (status === 200) sent.acknowledged.push(first);
  return status;
}

/** Returns the numbers of all spans in memory, oldest first. */
export async function spanNumbersOf({ apiUrl }: RunningProgram): Promise<number[]> {
  const headers = { Accept: "application/x-protobuf" };
  const answer = await fetch(`${apiUrl}/api/spans?limit=100000&order=oldest`, { headers });
  return spanNumbers(await answer.bytes());
}

/** Returns the numbers of all acknowledged spans of requests with so many spans each. */
export function numbersOf({ acknowledged }: Sent, spanCount: number): number[] {
  return acknowledged.flatMap((first) => Array.from({ length: spanCount }, (_, at) => first + at));
}

/** Returns the numbers of acknowledged spans that are not among those found. */
export function missingIn(found: readonly number[], sent: Sent, spanCount: number): number[] {
  const present = new Set(found);
  return numbersOf(sent, spanCount).filter((number) => !present.has(number));
}
