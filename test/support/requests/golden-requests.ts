import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The groups of spans that are stored as files, with one request each. */
export const GOLDEN_NAMES = [
  "plain-server-span",
  "attribute-kinds",
  "events-links-status",
  "two-resources",
] as const;

export type GoldenName = (typeof GOLDEN_NAMES)[number];

/** A request as the real SDK sent it, recorded by `bun test/support/sdk/record-golden.ts`. */
export function goldenRequest(name: GoldenName): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(goldenPath(name)));
}

export function goldenPath(name: GoldenName): string {
  return join(import.meta.dir, "../golden", `${name}.bin`);
}
