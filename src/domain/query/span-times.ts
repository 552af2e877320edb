import { type Halves, halvesOf, uint32At } from "../wire/scalars.ts";
import { ABSENT, type SpanFields } from "../wire/span-fields.ts";

/** Tests of the times of a span, on the fields that `readSpanFields` has read. */
type FieldTest = (fields: SpanFields) => boolean;

export function sinceTest(unixNano: bigint): FieldTest {
  const limit = halvesOf(unixNano);
  return (fields) => isSet(fields.bytes, fields.startTimeAt) && !startsBefore(fields, limit);
}

export function untilTest(unixNano: bigint): FieldTest {
  const limit = halvesOf(unixNano);
  return (fields) => isSet(fields.bytes, fields.startTimeAt) && startsBefore(fields, limit);
}

function startsBefore({ bytes, startTimeAt }: SpanFields, limit: Halves): boolean {
  const high = highAt(bytes, startTimeAt);
  return high < limit.high || (high === limit.high && lowAt(bytes, startTimeAt) < limit.low);
}

/** A span that ends before it starts has a negative duration, which is below any minimum. */
export function minDurationTest(durationNano: bigint): FieldTest {
  const least = halvesOf(durationNano);
  return (fields) => hasTimes(fields) && takesAtLeast(fields, least) && isTimed(fields);
}

export function maxDurationTest(durationNano: bigint): FieldTest {
  const tooLong = halvesOf(durationNano + 1n);
  return (fields) => hasTimes(fields) && !takesAtLeast(fields, tooLong) && isTimed(fields);
}

function hasTimes({ startTimeAt, endTimeAt }: SpanFields): boolean {
  return startTimeAt !== ABSENT && endTimeAt !== ABSENT;
}

/** Comes last, because few spans lack a time and fewer still match. */
function isTimed({ bytes, startTimeAt, endTimeAt }: SpanFields): boolean {
  return isSet(bytes, startTimeAt) && isSet(bytes, endTimeAt);
}

function takesAtLeast({ bytes, startTimeAt, endTimeAt }: SpanFields, least: Halves): boolean {
  const low = lowAt(bytes, endTimeAt) - lowAt(bytes, startTimeAt);
  const borrow = low < 0 ? 1 : 0;
  const high = highAt(bytes, endTimeAt) - highAt(bytes, startTimeAt) - borrow;
  return high > least.high || (high === least.high && low + borrow * 2 ** 32 >= least.low);
}

/** Reports whether the time is set. In proto3, 0 means "not set". */
function isSet(bytes: Uint8Array, at: number): boolean {
  return at !== ABSENT && (uint32At(bytes, at) !== 0 || uint32At(bytes, at + 4) !== 0);
}

function highAt(bytes: Uint8Array, at: number): number {
  return uint32At(bytes, at + 4);
}

function lowAt(bytes: Uint8Array, at: number): number {
  return uint32At(bytes, at);
}
