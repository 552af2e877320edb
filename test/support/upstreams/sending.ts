import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import { lengthDelimited } from "../requests/byte-chunks.ts";
import type { Answer } from "../fakes/fake-api.ts";
import { HandMovedSleep } from "../fakes/hand-moved-sleep.ts";
import { PATIENT_CLOCK } from "../fakes/patient-clock.ts";
import { exportSuccess } from "./otlp-receiver.ts";
import { requestOf } from "../requests/request-bytes.ts";
import { type FakeEnd, runAgainstFake } from "../running/run-against-fake.ts";
import type { CommandSurroundings } from "../running/run-command-line.ts";

/** Requests of 3, 1 and 2 spans. */
export const REQUESTS = [requestOf(3), requestOf(1, 10), requestOf(2, 20)] as const;
export const LINES = REQUESTS.map((bytes) => otlpJson(bytes));

/** Creates a file; returns its path. */
export type FileMaker = (name: string, content: string | Uint8Array) => string;

export function filesIn(folder: string): FileMaker {
  return (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
}

/** Returns this many requests of three spans, as a file with lengths. */
export function manyRequests(requestCount: number): Uint8Array {
  return lengthDelimited(...Array<Uint8Array>(requestCount).fill(REQUESTS[0]));
}

export const accept: Answer = ({ headers }) => exportSuccess(headers.get("content-type")!);

export interface Sent extends FakeEnd {
  /** The bodies that were sent, in base64. */
  readonly bodies: readonly string[];
  readonly clock: HandMovedSleep;
}

/** The time that a receiver has to respond. */
const ANSWER_LIMIT_MS = 60_000;

/** A clock on which no receiver takes too long to respond, and other sleeps take no time. */
class PauseClock extends HandMovedSleep {
  override sleep(durationMs: number, signal = new AbortController().signal): Promise<void> {
    const isLimit = durationMs === ANSWER_LIMIT_MS;
    return isLimit ? PATIENT_CLOCK.sleep(durationMs, signal) : super.sleep(durationMs);
  }
}

/** Runs `spanring send` against a receiver, on a clock on which sleeping takes no time. */
export async function send(
  argv: readonly string[],
  answer: Answer = accept,
  parts: CommandSurroundings = {},
): Promise<Sent> {
  const clock = new PauseClock();
  const end = await runAgainstFake(["send", ...argv], answer, { clock, ...parts });
  return { ...end, clock, bodies: base64(end.requests.map(({ body }) => body)) };
}

export function base64(bodies: readonly (Uint8Array | string)[]): string[] {
  return bodies.map((body) => Buffer.from(body as string).toString("base64"));
}
