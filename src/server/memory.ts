import { ringBytes } from "../application/ring/ring-memory.ts";
import { MAX_CHUNK_BYTES } from "../application/log/read-stored.ts";
import { segmentBytesFor } from "../application/log/retention.ts";
import type { BufferConfig, Config, ConfigWarning, LogConfig } from "../config/config.ts";

const MIB = 2 ** 20;

/** The memory of the runtime and the program, and of all that is not counted. */
const PROGRAM_BYTES = 100 * MIB;

/** Something that needs memory, and the variables that decide how much. */
interface Need {
  readonly bytes: number;
  readonly what: string;
  readonly variables: readonly string[];
}

/** The connections that the memory of the program includes, and that of each further one. */
const INCLUDED_CONNECTIONS = 1_000;
const CONNECTION_BYTES = 64 * 1024;

/** The JSON body whose conversion the memory of the program includes, and that of a larger one. */
const INCLUDED_BODY_BYTES = 20 * MIB;
const WIRE_A_JSON_BYTE = 1.125;

function needsOf({ buffer, limits, log, forward, maxBodyBytes }: Config): Need[] {
  const needs: Need[] = [
    {
      bytes: ringBytes({ spans: buffer.maxSpans, bytes: buffer.maxBytes }),
      what: "the buffer and its index",
      variables: ["MAX_BUFFER_BYTES", "MAX_BUFFER_SIZE"],
    },
    {
      bytes: limits.inFlightBytes,
      what: "requests in flight",
      variables: ["MAX_IN_FLIGHT_BYTES"],
    },
    {
      // Responses share the memory of requests in flight.
      bytes: Math.max(0, buffer.maxBytes - limits.inFlightBytes),
      what: "a response with the whole buffer",
      variables: [],
    },
    {
      bytes: log === "off" ? 0 : logMemoryBytes(log, buffer),
      what: "the log on disk",
      variables: [],
    },
    {
      bytes: forward === "off" ? 0 : forward.concurrency * forward.batchBytes,
      what: "batches that are being forwarded",
      variables: ["FORWARD_CONCURRENCY", "FORWARD_BATCH_BYTES"],
    },
    {
      bytes: Math.max(0, limits.connections - INCLUDED_CONNECTIONS) * CONNECTION_BYTES,
      what: "connections beyond the first 1,000",
      variables: ["MAX_CONNECTIONS"],
    },
    {
      bytes: Math.max(0, maxBodyBytes - INCLUDED_BODY_BYTES) * WIRE_A_JSON_BYTE,
      what: "the conversion of a large JSON body",
      variables: ["HTTP_MAX_BODY_LENGTH"],
    },
    { bytes: PROGRAM_BYTES, what: "the program", variables: [] },
  ];
  return needs.filter(({ bytes }) => bytes > 0);
}

/** Returns by how much the process may grow with this configuration. */
export function neededBytes(config: Config): number {
  return needsOf(config).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Warns of a memory limit below the needs of this configuration, before a burst exceeds it. */
export function memoryWarnings(config: Config, limitBytes: number | undefined): ConfigWarning[] {
  const needed = neededBytes(config);
  if (limitBytes === undefined || limitBytes >= needed) return [];
  const needs = needsOf(config);
  const parts = needs.map(({ bytes, what }) => `${inMib(bytes)} for ${what}`).join(", ");
  const variables = needs.flatMap((need) => need.variables);
  const message =
    `the cgroup's memory limit is ${inMib(limitBytes)}, and up to ${inMib(needed)} may be ` +
    `needed: ${parts}. Raise the limit, or lower ${variables.slice(0, -1).join(", ")} or ` +
    variables.at(-1);
  return [{ variable: "MAX_BUFFER_BYTES", message }];
}

/**
 * Requests that wait for a slow disk take at most this much memory, unless the buffer itself is
 * smaller.
 */
const MAX_QUEUED_BYTES = 32 * MIB;

/** Returns the maximum size of the requests that wait for the disk. */
export function maxQueuedBytes({ maxBytes }: BufferConfig): number {
  return Math.min(MAX_QUEUED_BYTES, maxBytes);
}

/**
 * Returns the memory for the log: one segment while a start reads it; after that, waiting requests,
 * and what a lease reads.
 */
function logMemoryBytes({ maxDiskBytes }: LogConfig, buffer: BufferConfig): number {
  const readBytes = Math.max(segmentBytesFor(maxDiskBytes), CHUNKS_OF_A_LEASE * MAX_CHUNK_BYTES);
  return maxQueuedBytes(buffer) + readBytes;
}

/** One chunk of memory that all leases share, and one more if a lease crosses two segments. */
const CHUNKS_OF_A_LEASE = 2;

function inMib(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}
