import type { SeededRandom } from "../support/disk/seeded-random.ts";

/** A part of the program, and what the fuzzer gives to it again and again. */
export interface PayloadTarget {
  readonly name: string;
  /** How many of each hundred payloads are its own. */
  readonly share: number;
  readonly draw: (random: SeededRandom) => DrawnPayload;
}

export interface DrawnPayload {
  /** Returns a sentence when the program is wrong about the payload; it must not throw. */
  readonly check: () => Verdict | Promise<Verdict>;
  /** Returns the payload as text that can be pasted into a test. */
  readonly show: () => string;
}

/** A sentence about what is wrong, or nothing. */
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
