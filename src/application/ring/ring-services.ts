import {
  assertLedgerBalances,
  type Ledger,
  type ServiceStats,
  type ServiceAmount,
  type SpanAmount,
} from "../../domain/ledger.ts";
import type { WalkedRequest } from "../../domain/wire/walked-request.ts";
import { nextField, scanFrom } from "../../domain/wire/field-scan.ts";
import { RESOURCE_SPANS_FIELD } from "../../domain/wire/otlp-tags.ts";
import { serviceNameBytes } from "../../domain/wire/resource.ts";
import { audit, type Departure, record, recordDeparture } from "./ring-ledger.ts";
import {
  ACCEPTED,
  BUFFERED_BYTES,
  BUFFERED_SPANS,
  DELIVERED,
  EVICTED,
  RECEIVED,
  REJECTED,
  type RingMemory,
  TAKEN,
  UNDELIVERABLE,
  LEDGER_ENTRIES,
  nameOf,
  OTHER_SERVICES,
  serviceRow,
  type ServiceTable,
} from "./ring-memory.ts";

/**
 * The ledger of each service: the entries of the whole ring, split by service. Every function needs
 * the lock.
 */

// Indexes in a row, each for two numbers: spans and bytes. Lower indexes are as in `control`.
const BUFFERED = 14;
const LAST_SEEN = 16;

/** The contexts of the spans in a request. */
export type RequestContexts = Pick<
  WalkedRequest,
  "request" | "contextCount" | "resourceOffset" | "resourceLength"
>;

/** Returns the service of each context of a request, in the order of the contexts. */
export function servicesOf(ring: RingMemory, walked: RequestContexts): Uint32Array {
  const { request, resourceOffset, resourceLength, contextCount } = walked;
  const rows = new Uint32Array(contextCount);
  for (let context = 0; context < contextCount; context += 1) {
    const offset = resourceOffset[context]!;
    const isSame = context > 0 && resourceOffset[context - 1] === offset;
    rows[context] = isSame
      ? rows[context - 1]!
      : serviceRow(ring.services, serviceNameBytes(request, offset, resourceLength[context]!));
  }
  return rows;
}

/** Counts the spans of a request as accepted; its first `skippedSpans` are evicted at once. */
export function recordAcceptedByService(ring: RingMemory, request: ServicedRequest): void {
  const { walked, services, skippedSpans, unixMs } = request;
  forEachRun({ walked, services }, walked.spanCount, (service, amount) => {
    add(ring, service, RECEIVED - RECEIVED, amount);
    add(ring, service, ACCEPTED - RECEIVED, amount);
    add(ring, service, BUFFERED, amount);
    ring.services.ledgers[service * LEDGER_ENTRIES + LAST_SEEN] = unixMs;
  });
  forEachRun({ walked, services }, skippedSpans, (service, amount) =>
    recordDepartureFromService(ring, service, { entry: EVICTED, ...amount }),
  );
}

export interface ServicedRequest {
  readonly walked: WalkedRequest;
  /** The service of each context; see `servicesOf`. */
  readonly services: Uint32Array;
  readonly skippedSpans: number;
  readonly unixMs: number;
}

/**
 * Calls back for each run of the first `spanCount` spans in neighbouring contexts of one service.
 */
export function forEachRun(
  { walked, services }: Pick<ServicedRequest, "walked" | "services">,
  spanCount: number,
  visit: (service: number, amount: SpanAmount) => void,
): void {
  const { spanContext, spanLength } = walked;
  for (let row = 0; row < spanCount;) {
    const service = services[spanContext[row]!]!;
    const first = row;
    let bytes = 0;
    for (; row < spanCount && services[spanContext[row]!] === service; row += 1) {
      bytes += spanLength[row]!;
    }
    visit(service, { spans: row - first, bytes });
  }
}

export function recordDepartureFromService(
  ring: RingMemory,
  service: number,
  departed: SpanAmount & { readonly entry: Departure },
): void {
  add(ring, service, departed.entry - RECEIVED, departed);
  add(ring, service, BUFFERED, { spans: -departed.spans, bytes: -departed.bytes });
  auditService(ring, service);
}

/** Spans of one service. */
export interface ServiceSpans extends SpanAmount {
  readonly service: number;
}

/** Records the departure of spans that have no slot, because they were kept elsewhere. */
export function recordSpilledDeparture(
  ring: RingMemory,
  entry: "taken" | "evicted",
  departed: readonly ServiceSpans[],
): void {
  for (const { service, spans, bytes } of departed) {
    const amount = { entry: entry === "taken" ? TAKEN : EVICTED, spans, bytes } as const;
    recordDepartureFromService(ring, service, amount);
    recordDeparture(ring, amount.entry, amount);
  }
  audit(ring);
}

/** Records spans of earlier runs as accepted that have no slot, because they are kept elsewhere. */
export function recordKept(ring: RingMemory, kept: KeptSpans): void {
  const { service, unixMs } = kept;
  for (const entry of [RECEIVED, ACCEPTED] as const) {
    add(ring, service, entry - RECEIVED, kept);
    record(ring, entry, kept);
  }
  add(ring, service, BUFFERED, kept);
  ring.control[BUFFERED_SPANS]! += kept.spans;
  ring.control[BUFFERED_BYTES]! += kept.bytes;
  const { ledgers } = ring.services;
  const lastSeen = service * LEDGER_ENTRIES + LAST_SEEN;
  ledgers[lastSeen] = Math.max(ledgers[lastSeen]!, unixMs);
  audit(ring);
}

export interface KeptSpans extends ServiceSpans {
  /** The last time of arrival. */
  readonly unixMs: number;
}

/** Returns the service of all resources of a request, if it is one. */
export function commonService({ services }: RingMemory, request: Uint8Array): number | undefined {
  const scan = scanFrom(request, 0, request.length);
  let common: number | undefined;
  while (nextField(scan)) {
    if (scan.fieldNumber !== RESOURCE_SPANS_FIELD) continue;
    const { valueAt, at } = scan;
    const service = serviceRow(services, serviceNameBytes(request, valueAt, at - valueAt));
    if (common !== undefined && service !== common) return undefined;
    common = service;
  }
  return common;
}

/** Returns the service of each span of a request. */
export function spanServices(
  ring: RingMemory,
  walked: RequestContexts & Pick<WalkedRequest, "spanCount" | "spanContext">,
): Uint32Array {
  const { spanCount, spanContext } = walked;
  const rows = servicesOf(ring, walked);
  const services = new Uint32Array(spanCount);
  for (let row = 0; row < spanCount; row += 1) services[row] = rows[spanContext[row]!]!;
  return services;
}

export function recordRejectedByService(
  ring: RingMemory,
  rejected: readonly ServiceAmount[],
  unixMs: number,
): void {
  for (const { service, spans, bytes } of rejected) {
    const row = serviceRow(ring.services, service);
    add(ring, row, RECEIVED - RECEIVED, { spans, bytes });
    add(ring, row, REJECTED - RECEIVED, { spans, bytes });
    ring.services.ledgers[row * LEDGER_ENTRIES + LAST_SEEN] = unixMs;
  }
}

/** Returns the services in the order in which this run has first seen them. */
export function readServices({ services }: RingMemory): ServiceStats[] {
  const rows = Array.from({ length: services.count[0]! }, (_, index) => index + 1);
  const others = services.ledgers[LAST_SEEN] === 0 ? [] : [OTHER_SERVICES];
  return [...rows, ...others].map((row) => ({
    service: row === OTHER_SERVICES ? "(other services)" : nameOf(services, row),
    spans: readLedger(services, row, 0),
    bytes: readLedger(services, row, 1),
    lastSeenUnixMs: services.ledgers[row * LEDGER_ENTRIES + LAST_SEEN]!,
  }));
}

function readLedger({ ledgers }: ServiceTable, row: number, unit: 0 | 1): Ledger {
  const at = row * LEDGER_ENTRIES + unit;
  return {
    received: ledgers[at]!,
    rejected: ledgers[at + REJECTED - RECEIVED]!,
    accepted: ledgers[at + ACCEPTED - RECEIVED]!,
    buffered: ledgers[at + BUFFERED]!,
    taken: ledgers[at + TAKEN - RECEIVED]!,
    delivered: ledgers[at + DELIVERED - RECEIVED]!,
    evicted: ledgers[at + EVICTED - RECEIVED]!,
    undeliverable: ledgers[at + UNDELIVERABLE - RECEIVED]!,
  };
}

function auditService({ services }: RingMemory, row: number): void {
  assertLedgerBalances(readLedger(services, row, 0));
  assertLedgerBalances(readLedger(services, row, 1));
}

function add({ services }: RingMemory, service: number, entry: number, amount: SpanAmount): void {
  const at = service * LEDGER_ENTRIES + entry;
  services.ledgers[at]! += amount.spans;
  services.ledgers[at + 1]! += amount.bytes;
}
