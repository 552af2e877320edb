import { filterText, type SpanFilter } from "../../domain/query/span-filter.ts";
import {
  compileFilter,
  type FieldsOf,
  type SpanMatcher,
  type SpanPlace,
} from "../../domain/query/span-matcher.ts";
import { SharedFields } from "../ring/ring-search.ts";
import {
  addFilter,
  beginSearch,
  findFilters,
  type FilterIndex,
  createFilterIndex,
} from "./filter-index.ts";
import type { SequenceRange, SpanVisits } from "../../ports/trace-buffer.ts";

/** Told the sequences of all spans that match, of those that arrived together. */
export type Arrived = (sequences: readonly number[]) => void;

export interface ArrivedRange extends SequenceRange {
  /** Every span of it is plain, as the wire walk says. */
  readonly arePlain: boolean;
}

interface Subscription {
  /** Does nothing once it has been taken out. */
  arrived: Arrived;
}

/** A filter, of however many who wait: it is tried once on a span. */
interface IndexedFilter {
  /** Of its filter. */
  readonly text: string;
  readonly matcher: SpanMatcher;
  readonly subscriptions: Set<Subscription>;
  /** Takes it out of what is looked for; there when there was room for it. */
  remove: (() => void) | undefined;
  /** Among the spans that are being shown. */
  found: number[];
  /** The show in which its matcher was used last, and the span it was tried on last. */
  lastShow: number;
  lastSequence: number;
}

const EVERY_SPAN: SpanMatcher = { traceTail: undefined, reset: () => {}, matches: () => true };

/**
 * Who waits for what, so that a thousand who wait cost an arriving span about as much as one: those
 * with the same filter are one indexed, and filters are found by what they ask for most
 * precisely (see `FilterIndex`).
 */
export class SubscriptionIndex {
  // Moved by `add`, and by the functions it answers with.
  private readonly filters = new Map<string, IndexedFilter>();
  private readonly wanted = createFilterIndex<IndexedFilter>();
  size = 0;

  // Moved by `show`.
  private readonly fields = new SharedFields();
  private shows = 0;

  /**
   * Answers the function that takes it out again, to be called once. Undefined when too many other
   * filters would be tried on the same spans; see `MAX_FOUND_TOGETHER`.
   */
  add(filter: SpanFilter, arrived: Arrived): (() => void) | undefined {
    const text = filterText(filter);
    const indexed = this.filters.get(text) ?? this.ask(text, filter);
    return indexed && this.subscribe(indexed, { arrived });
  }

  /** Tries every span of the range on whoever may want it; then tells each what it wants. */
  show(buffer: SpanVisits, range: ArrivedRange): void {
    this.shows += 1;
    this.fields.reset();
    const showing = { wanted: this.wanted, number: this.shows, fieldsOf: this.fields.of };
    const matches = matchesIn(buffer, range, showing);
    for (const { subscription, found } of matches) subscription.arrived(found);
  }

  private ask(text: string, filter: SpanFilter): IndexedFilter | undefined {
    const indexed = indexedFilter(text, compileFilter(filter, this.fields.of));
    indexed.remove = addFilter(this.wanted, filter, indexed);
    if (indexed.remove !== undefined) this.filters.set(text, indexed);
    return indexed.remove && indexed;
  }

  private subscribe(indexed: IndexedFilter, subscription: Subscription): () => void {
    indexed.subscriptions.add(subscription);
    this.size += 1;
    return () => void this.unsubscribe(indexed, subscription);
  }

  private unsubscribe(indexed: IndexedFilter, subscription: Subscription): void {
    this.size -= 1;
    // Others may be told just now, and this one would be next.
    subscription.arrived = () => {};
    indexed.subscriptions.delete(subscription);
    if (indexed.subscriptions.size === 0) this.forget(indexed);
  }

  private forget({ text, remove }: IndexedFilter): void {
    this.filters.delete(text);
    remove?.();
  }
}

function indexedFilter(text: string, matcher: SpanMatcher): IndexedFilter {
  const nothing = { remove: undefined, found: [], lastShow: 0, lastSequence: 0 };
  return { text, matcher, subscriptions: new Set(), ...nothing };
}

/** One look at what has arrived. */
interface Showing {
  readonly wanted: FilterIndex<IndexedFilter>;
  readonly number: number;
  readonly fieldsOf: FieldsOf;
}

/** What each is to be told. */
interface Match {
  readonly subscription: Subscription;
  readonly found: readonly number[];
}

/** Gathered before anyone is told: whoever is told may subscribe, to this indexed or another. */
function matchesIn(
  buffer: SpanVisits,
  { arePlain, ...range }: ArrivedRange,
  { wanted, number, fieldsOf }: Showing,
): Match[] {
  const matched = new Set<IndexedFilter>();
  const tried: Tried = { number, sequence: 0, place: NOWHERE, matched };
  const found = (filters: ReadonlySet<IndexedFilter>) => tryOn(filters, tried);
  const search = beginSearch({ wanted, fieldsOf, arePlain, found });
  buffer.visit({ matcher: EVERY_SPAN, newestFirst: false, range }, (sequence, place) => {
    tried.sequence = sequence;
    tried.place = place;
    findFilters(search, place);
    return true;
  });
  return [...matched].flatMap(({ subscriptions, found: sequences }) =>
    Array.from(subscriptions, (subscription) => ({ subscription, found: sequences })),
  );
}

const NOWHERE: SpanPlace = {
  bytes: new Uint8Array(0),
  spanOffset: 0,
  spanLength: 0,
  resourceOffset: 0,
  resourceLength: 0,
  traceTail: 0,
};

/** A span, and the filters that it or another of the same show has matched. */
interface Tried {
  readonly number: number;
  sequence: number;
  place: SpanPlace;
  readonly matched: Set<IndexedFilter>;
}

function tryOn(filters: ReadonlySet<IndexedFilter>, tried: Tried): void {
  const { number, sequence, place, matched } = tried;
  for (const indexed of filters) {
    if (indexed.lastShow !== number) begin(indexed, number);
    // One that is wanted by an attribute is found by each that has its key and value.
    if (indexed.lastSequence === sequence) continue;
    indexed.lastSequence = sequence;
    if (!indexed.matcher.matches(place)) continue;
    indexed.found.push(sequence);
    matched.add(indexed);
  }
}

/** Since the last show the bytes have changed. */
function begin(indexed: IndexedFilter, show: number): void {
  indexed.lastShow = show;
  indexed.lastSequence = 0;
  indexed.found = [];
  indexed.matcher.reset();
}
