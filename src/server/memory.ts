import { ringBytes } from "../application/ring/ring-memory.ts";
import type { Config, ConfigWarning } from "../config/config.ts";

const MIB = 2 ** 20;

/** The memory of the runtime, the program, and responses in progress. */
const PROGRAM_BYTES = 100 * MIB;

/** Warns of a memory limit below the needs of this configuration, before a burst exceeds it. */
export function memoryWarnings(
  { buffer, limits }: Config,
  limitBytes: number | undefined,
): ConfigWarning[] {
  const bufferBytes = ringBytes({ spans: buffer.maxSpans, bytes: buffer.maxBytes });
  const neededBytes = bufferBytes + limits.inFlightBytes + PROGRAM_BYTES;
  if (limitBytes === undefined || limitBytes >= neededBytes) return [];
  const message =
    `the cgroup's memory limit is ${inMib(limitBytes)}, and up to ${inMib(neededBytes)} may be ` +
    `needed: ${inMib(bufferBytes)} for the buffer and its index, ` +
    `${inMib(limits.inFlightBytes)} for requests in flight, ${inMib(PROGRAM_BYTES)} for the ` +
    "program. Raise the limit, or lower MAX_BUFFER_BYTES, MAX_BUFFER_SIZE or MAX_IN_FLIGHT_BYTES";
  return [{ variable: "MAX_BUFFER_BYTES", message }];
}

function inMib(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}
