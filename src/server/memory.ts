import { ringBytes } from "../application/ring/ring-memory.ts";
import { MAX_CHUNK_BYTES } from "../application/log/read-stored.ts";
import { segmentBytesFor } from "../application/log/retention.ts";
import type { BufferConfig, Config, ConfigWarning, LogConfig } from "../config/config.ts";

const MIB = 2 ** 20;

/** The memory of the runtime, the program, and responses in progress. */
const PROGRAM_BYTES = 100 * MIB;

/** The memory that a configuration may need, by what needs it. */
interface NeededMemory {
  /** The arena of the ring, and its index. */
  readonly buffer: number;
  readonly inFlight: number;
  readonly log: number;
  readonly forward: number;
  /** The connections beyond those that the memory of the program includes. */
  readonly connections: number;
}

/** The connections that the memory of the program includes, and that of each further one. */
const INCLUDED_CONNECTIONS = 1_000;
const CONNECTION_BYTES = 64 * 1024;

function neededMemory({ buffer, limits, log, forward }: Config): NeededMemory {
  return {
    buffer: ringBytes({ spans: buffer.maxSpans, bytes: buffer.maxBytes }),
    inFlight: limits.inFlightBytes,
    log: log === "off" ? 0 : logMemoryBytes(log, buffer),
    forward: forward === "off" ? 0 : forward.concurrency * forward.batchBytes,
    connections: Math.max(0, limits.connections - INCLUDED_CONNECTIONS) * CONNECTION_BYTES,
  };
}

/** Returns by how much the process may grow with this configuration. */
export function neededBytes(config: Config): number {
  const { buffer, inFlight, log, forward, connections } = neededMemory(config);
  return buffer + inFlight + log + forward + connections + PROGRAM_BYTES;
}

/** Warns of a memory limit below the needs of this configuration, before a burst exceeds it. */
export function memoryWarnings(config: Config, limitBytes: number | undefined): ConfigWarning[] {
  const needed = neededBytes(config);
  if (limitBytes === undefined || limitBytes >= needed) return [];
  const { buffer, inFlight, log, forward, connections } = neededMemory(config);
  const message =
    `the cgroup's memory limit is ${inMib(limitBytes)}, and up to ${inMib(needed)} may be ` +
    `needed: ${inMib(buffer)} for the buffer and its index, ` +
    `${inMib(inFlight)} for requests in flight, ` +
    `${log === 0 ? "" : `${inMib(log)} for the log on disk, `}` +
    `${forward === 0 ? "" : `${inMib(forward)} for batches that are being forwarded, `}` +
    `${connections === 0 ? "" : `${inMib(connections)} for more than 1,000 connections, `}` +
    `${inMib(PROGRAM_BYTES)} for the ` +
    "program. Raise the limit, or lower MAX_BUFFER_BYTES, MAX_BUFFER_SIZE or MAX_IN_FLIGHT_BYTES";
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
