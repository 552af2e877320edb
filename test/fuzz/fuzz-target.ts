import type { SeededRandom } from "../support/disk/seeded-random.ts";

/** A part of the program that the fuzzer tests, with its source of payloads. */
export interface PayloadTarget {
  readonly name: string;
  /** The percentage of payloads for this target. */
  readonly share: number;
  readonly draw: (random: SeededRandom) => DrawnPayload;
}

export interface DrawnPayload {
  /** Returns a description of an error in the handling of the payload; must not throw. */
  readonly check: () => Verdict | Promise<Verdict>;
  /** Returns the payload as text that can be pasted into a test. */
  readonly show: () => string;
}

/** A description of the error, or undefined. */
type Verdict = string | undefined;

interface TargetParts<Payload> {
  readonly name: string;
  readonly share: number;
  /** Builds a payload from a grammar, a mutation, or both. */
  readonly build: (random: SeededRandom) => Payload;
  readonly check: (payload: Payload) => Verdict | Promise<Verdict>;
  readonly show: (payload: Payload) => string;
}

export function payloadTarget<Payload>(parts: TargetParts<Payload>): PayloadTarget {
  const { name, share, build, check, show } = parts;
  const draw = (random: SeededRandom): DrawnPayload => {
    const payload = build(random);
    return { check: () => check(payload), show: () => show(payload) };
  };
  return { name, share, draw };
}

export function base64(bytes: Uint8Array): string {
  return `base64 ${Buffer.from(bytes).toString("base64")}`;
}
