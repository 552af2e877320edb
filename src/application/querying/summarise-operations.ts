import type { SpanFilter } from "../../domain/query/span-filter.ts";
import { compileFilter } from "../../domain/query/span-matcher.ts";
import { isSame, textBetween } from "../../domain/wire/scalars.ts";
import {
  createSpanFields,
  durationNano,
  readSpanFields,
  roundedTimeAt,
  type SpanFields,
} from "../../domain/wire/span-fields.ts";
import type { SearchedBuffer, SequenceRange } from "../../ports/trace-buffer.ts";
import { addDuration, createHistogram, type DurationHistogram } from "./duration-histogram.ts";
import { scanRing } from "./ring-scan.ts";
import { serviceReader } from "./service-names.ts";

/** Summarises the spans of one service that have the same name. */
export interface Operation {
  readonly service: string;
  readonly name: string;
  readonly spanCount: number;
  readonly errorCount: number;
  /** The durations of spans with a start and an end; a negative one counts as 0. */
  readonly durations: DurationHistogram;
  /** The latest end in Unix nanoseconds, rounded to a double; 0 if no span has one. */
  readonly lastEndNano: number;
}

export interface Operations {
  /** The most frequent first; those with equal counts in order of arrival. */
  readonly operations: readonly Operation[];
  /** The number of spans with names for which there was no room. */
  readonly otherSpanCount: number;
  /** The time from the first start to the last end; 0 if unknown. */
  readonly periodSeconds: number;
  readonly range: SequenceRange;
}

/** Bounds memory, however many names arrive, and however long they are. */
export const MAX_OPERATIONS = 1_000;
const MAX_NAME_BYTES = 1024 * 1024;

const STATUS_ERROR = 2;
const NANOS_PER_SECOND = 1e9;

/** Summarises the matching spans by service and name. */
export async function summariseOperations(
  buffer: SearchedBuffer,
  filter: SpanFilter = [],
): Promise<Operations> {
  const scan = { matcher: compileFilter(filter), after: 0, newestFirst: false };
  const table = emptyTable();
  const fields = createSpanFields();
  const range = await scanRing(buffer, scan, (piece) => {
    const serviceOf = serviceReader();
    buffer.visit({ ...scan, range: piece }, (_, location) => {
      readSpanFields(fields, location.bytes, location.spanOffset, location.spanLength);
      addSpan(table, serviceOf(location), fields);
      return true;
    });
    return undefined;
  });
  const { otherSpanCount, firstStartNano, lastEndNano } = table;
  const operations = table.operations.toSorted((a, b) => b.spanCount - a.spanCount);
  const periodSeconds = Math.max(0, lastEndNano - firstStartNano) / NANOS_PER_SECOND;
  return { operations, otherSpanCount, periodSeconds, range };
}

interface GrowingOperation extends Mutable<Operation> {
  readonly nameBytes: Uint8Array;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

interface OperationTable {
  readonly operations: GrowingOperation[];
  /** The operations by service and by the hash of their name. */
  readonly byService: Map<string, Map<number, GrowingOperation[]>>;
  namesBytes: number;
  otherSpanCount: number;
  firstStartNano: number;
  lastEndNano: number;
}

function emptyTable(): OperationTable {
  return {
    operations: [],
    byService: new Map(),
    namesBytes: 0,
    otherSpanCount: 0,
    firstStartNano: Infinity,
    lastEndNano: 0,
  };
}

function addSpan(table: OperationTable, service: string, fields: SpanFields): void {
  const startNano = roundedTimeAt(fields, fields.startTimeAt);
  const endNano = roundedTimeAt(fields, fields.endTimeAt);
  if (startNano > 0) table.firstStartNano = Math.min(table.firstStartNano, startNano);
  table.lastEndNano = Math.max(table.lastEndNano, endNano);
  const operation = operationOf(table, service, fields);
  if (operation === undefined) {
    table.otherSpanCount += 1;
    return;
  }
  operation.spanCount += 1;
  if (fields.statusCode === STATUS_ERROR) operation.errorCount += 1;
  operation.lastEndNano = Math.max(operation.lastEndNano, endNano);
  const duration = durationNano(fields);
  if (duration !== undefined) addDuration(operation.durations, Math.max(0, duration));
}

/** Finds an operation without decoding its name, or adds it; undefined if there is no room. */
function operationOf(
  table: OperationTable,
  service: string,
  { bytes, nameStart, nameEnd }: SpanFields,
): GrowingOperation | undefined {
  const ofService = table.byService.get(service);
  const hash = hashOf(bytes, nameStart, nameEnd);
  const alike = ofService?.get(hash);
  const known = alike?.find(({ nameBytes }) => isSame(bytes, nameStart, nameEnd, nameBytes));
  if (known !== undefined) return known;
  const namesBytes = table.namesBytes + nameEnd - nameStart + service.length;
  if (table.operations.length === MAX_OPERATIONS || namesBytes > MAX_NAME_BYTES) return undefined;
  table.namesBytes = namesBytes;
  const nameBytes = bytes.slice(nameStart, nameEnd);
  const added = newOperation(service, nameBytes);
  table.operations.push(added);
  if (ofService === undefined) table.byService.set(service, new Map([[hash, [added]]]));
  else if (alike === undefined) ofService.set(hash, [added]);
  else alike.push(added);
  return added;
}

/** Returns the 32-bit FNV-1a hash of a name. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash;
}

function newOperation(service: string, nameBytes: Uint8Array): GrowingOperation {
  return {
    service,
    name: textBetween(nameBytes, 0, nameBytes.length),
    nameBytes,
    spanCount: 0,
    errorCount: 0,
    durations: createHistogram(),
    lastEndNano: 0,
  };
}
