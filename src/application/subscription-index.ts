import { type FilterKey, filterKey, nameHash } from "../domain/query/filter-key.ts";
import type { SpanFilter } from "../domain/query/span-filter.ts";
import { compileFilter, type SpanMatcher, type SpanPlace } from "../domain/query/span-matcher.ts";
import { plainNameAt } from "../domain/wire/plain-fields.ts";
import { serviceName } from "../domain/wire/service-name.ts";
import { createSpanFields, readSpanFields, type SpanFields } from "../domain/wire/span-fields.ts";
import type { ObservabilityBuffer } from "./observability-buffer.ts";
import type { SequenceRange } from "./ring-search.ts";
import { WantedKeys } from "./wanted-keys.ts";

/** Told the sequences of all spans that match, of those that arrived together. */
export type Arrived = (sequences: readonly number[]) => void;

export interface ArrivedRange extends SequenceRange {
  /** Every span of it is plain, as the wire walk says. */
  readonly arePlain: boolean;
}

interface Subscription {
  readonly matcher: SpanMatcher;
  /** Does nothing once it has been taken out. */
  arrived: Arrived;
  /** Among the spans that are being shown. */
  found: number[];
  /** The show in which its matcher was used last. */
  lastShow: number;
}

const EVERY_SPAN: SpanMatcher = { traceTail: undefined, reset: () => {}, matches: () => true };

/**
 * Who waits for what, so that a thousand who wait cost an arriving span about as much as one: each
 * is found by what its filter asks for most precisely, a trace, a name or a service. Only filters
 * that ask for none of these are tried on every span.
 */
export class SubscriptionIndex {
  // Moved by `add`, and by the functions it answers with.
  private readonly wanted: Wanted = {
    byTrace: new WantedKeys(),
    byName: new WantedKeys(),
    byService: new Map(),
    byNothing: new Set(),
  };
  size = 0;

  // Moved by `show`.
  private shows = 0;

  /** Answers the function that takes it out again, to be called once. */
  add(filter: SpanFilter, arrived: Arrived): () => void {
    const subscription = { matcher: compileFilter(filter), arrived, found: [], lastShow: 0 };
    const remove = addTo(this.wanted, filterKey(filter), subscription);
    this.size += 1;
    return () => void (remove(), silence(subscription), (this.size -= 1));
  }

  /** Tries every span of the range on whoever may want it; then tells each what it wants. */
  show(buffer: Pick<ObservabilityBuffer, "visit">, { arePlain, ...range }: ArrivedRange): void {
    this.shows += 1;
    const showing = beginShow(this.wanted, this.shows, arePlain);
    const every = { matcher: EVERY_SPAN, newestFirst: false, range };
    buffer.visit(every, (sequence, place) => tryOnAll(showing, sequence, place));
    for (const { arrived, found } of showing.matched) arrived(found);
  }
}

/** Someone else may be told just now, and this one would be next. */
function silence(subscription: Subscription): void {
  subscription.arrived = () => {};
}

interface Wanted {
  readonly byTrace: WantedKeys<Subscription>;
  readonly byName: WantedKeys<Subscription>;
  readonly byService: Map<string, Set<Subscription>>;
  readonly byNothing: Set<Subscription>;
}

function addTo(wanted: Wanted, key: FilterKey | undefined, subscription: Subscription): () => void {
  switch (key?.on) {
    case "trace_id":
      wanted.byTrace.add(key.tail, subscription);
      return () => wanted.byTrace.remove(key.tail, subscription);
    case "name":
      wanted.byName.add(key.hash, subscription);
      return () => wanted.byName.remove(key.hash, subscription);
    case "service":
      return addToService(wanted.byService, key.value, subscription);
    case undefined:
      wanted.byNothing.add(subscription);
      return () => void wanted.byNothing.delete(subscription);
  }
}

function addToService(
  byService: Map<string, Set<Subscription>>,
  service: string,
  subscription: Subscription,
): () => void {
  const set = byService.get(service) ?? new Set();
  byService.set(service, set.add(subscription));
  return () => {
    set.delete(subscription);
    if (set.size === 0) byService.delete(service);
  };
}

/** One look at what has arrived. */
interface Showing {
  readonly wanted: Wanted;
  readonly number: number;
  readonly matched: Set<Subscription>;
  readonly fields: SpanFields;
  /** See `WalkedRequest.plainSpans`. */
  readonly arePlain: boolean;
  /** Spans of one resource come together, and have one service. */
  resourceOffset: number;
  service: string;
}

function beginShow(wanted: Wanted, number: number, arePlain: boolean): Showing {
  const fields = createSpanFields();
  const service = { resourceOffset: -1, service: "" };
  return { wanted, number, matched: new Set(), fields, arePlain, ...service };
}

/** Always true: go on to the next span. */
function tryOnAll(showing: Showing, sequence: number, place: SpanPlace): true {
  const { wanted } = showing;
  const ofTrace = wanted.byTrace.isEmpty ? undefined : wanted.byTrace.valuesOf(place.traceTail);
  if (ofTrace !== undefined) tryOn(showing, ofTrace, sequence, place);
  const ofName = wanted.byName.isEmpty ? undefined : wanted.byName.valuesOf(hashOf(showing, place));
  if (ofName !== undefined) tryOn(showing, ofName, sequence, place);
  if (wanted.byService.size > 0) {
    const ofService = wanted.byService.get(serviceOf(showing, place));
    if (ofService !== undefined) tryOn(showing, ofService, sequence, place);
  }
  if (wanted.byNothing.size > 0) tryOn(showing, wanted.byNothing, sequence, place);
  return true;
}

/** Of its name. Of a plain span it takes a few loads, of any other a look at all its fields. */
function hashOf({ arePlain, fields }: Showing, place: SpanPlace): number {
  const { bytes, spanOffset, spanLength } = place;
  const at = arePlain ? plainNameAt(bytes, spanOffset, spanLength) : 0;
  if (at > 0) return nameHash(bytes, at + 1, at + 1 + bytes[at]!);
  readSpanFields(fields, bytes, spanOffset, spanLength);
  return nameHash(bytes, fields.nameStart, fields.nameEnd);
}

function tryOn(
  showing: Showing,
  subscriptions: ReadonlySet<Subscription>,
  sequence: number,
  place: SpanPlace,
): void {
  for (const subscription of subscriptions) {
    if (subscription.lastShow !== showing.number) begin(subscription, showing.number);
    if (!subscription.matcher.matches(place)) continue;
    subscription.found.push(sequence);
    showing.matched.add(subscription);
  }
}

/** Since the last show the bytes have changed. */
function begin(subscription: Subscription, show: number): void {
  subscription.lastShow = show;
  subscription.found = [];
  subscription.matcher.reset();
}

function serviceOf(showing: Showing, { bytes, resourceOffset, resourceLength }: SpanPlace): string {
  if (showing.resourceOffset !== resourceOffset) {
    showing.resourceOffset = resourceOffset;
    showing.service = serviceName(bytes, resourceOffset, resourceLength);
  }
  return showing.service;
}
