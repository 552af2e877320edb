import { filterText, type SpanFilter } from "../../domain/query/span-filter.ts";
import {
  compileFilter,
  type FieldsOf,
  type SpanMatcher,
  type SpanLocation,
} from "../../domain/query/span-matcher.ts";
import { SharedFields } from "../ring/ring-hand-over.ts";
import {
  addFilter,
  beginSearch,
  findFilters,
  type FilterIndex,
  createFilterIndex,
} from "./filter-index.ts";
import type { SequenceRange, SpanVisits } from "../../ports/trace-buffer.ts";

/** Called with the sequences of all matching spans that arrived together. */
export type ArrivalListener = (sequences: readonly number[]) => void;

export interface ArrivedRange extends SequenceRange {
  /** Whether the wire walk found every span plain. */
  readonly arePlain: boolean;
}

interface Subscription {
  /** Does nothing once the subscription has been removed. */
  arrived: ArrivalListener;
}

/** Holds a filter and all its subscriptions, so that the filter is tried once on each span. */
interface IndexedFilter {
  /** The filter as text, which identifies it. */
  readonly text: string;
  readonly matcher: SpanMatcher;
  readonly subscriptions: Set<Subscription>;
  /** Removes the filter from the index; undefined if there was no room for it. */
  remove: (() => void) | undefined;
  /** Sequences of the matching spans in the current show. */
  found: number[];
  /** The show in which the matcher was last used, and the last span it was tried on. */
  lastShow: number;
  lastSequence: number;
}

const EVERY_SPAN: SpanMatcher = { traceTail: undefined, reset: () => {}, matches: () => true };

/**
 * Holds all subscriptions. Equal filters are indexed once, by their most selective condition (see
 * `FilterIndex`), so a new span costs about as much with a thousand subscriptions as with one.
 */
export class SubscriptionIndex {
  // Moved by `add`, and by the functions it returns.
  private readonly filters = new Map<string, IndexedFilter>();
  private readonly index = createFilterIndex<IndexedFilter>();
  size = 0;

  // Moved by `show`.
  private readonly fields = new SharedFields();
  private shows = 0;

  /**
   * Adds a subscription. Returns a function that removes it, to be called once; undefined if too
   * many other filters would be tried on the same spans (see `MAX_FOUND_TOGETHER`).
   */
  add(filter: SpanFilter, arrived: ArrivalListener): (() => void) | undefined {
    const text = filterText(filter);
    const indexed = this.filters.get(text) ?? this.indexFilter(text, filter);
    return indexed && this.subscribe(indexed, { arrived });
  }

  /** Tries on each span the filters that may match it, and then calls the subscribers. */
  show(buffer: SpanVisits, range: ArrivedRange): void {
    this.shows += 1;
    this.fields.reset();
    const showing = { index: this.index, number: this.shows, fieldsOf: this.fields.of };
    const matches = matchesIn(buffer, range, showing);
    for (const { subscription, found } of matches) subscription.arrived(found);
  }

  private indexFilter(text: string, filter: SpanFilter): IndexedFilter | undefined {
    const indexed = indexedFilter(text, compileFilter(filter, this.fields.of));
    indexed.remove = addFilter(this.index, filter, indexed);
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
    // If a show is calling subscribers right now, this one may be next.
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

/** Holds the values that stay the same during one show. */
interface ShowContext {
  readonly index: FilterIndex<IndexedFilter>;
  readonly number: number;
  readonly fieldsOf: FieldsOf;
}

/** Holds the arguments for one subscriber. */
interface Match {
  readonly subscription: Subscription;
  readonly found: readonly number[];
}

/**
 * Gathers all matches before calling subscribers, because these may subscribe again, even to the
 * same filters.
 */
function matchesIn(
  buffer: SpanVisits,
  { arePlain, ...range }: ArrivedRange,
  { index, number, fieldsOf }: ShowContext,
): Match[] {
  const matched = new Set<IndexedFilter>();
  const trial: Trial = { number, sequence: 0, location: NOWHERE, matched };
  const found = (filters: ReadonlySet<IndexedFilter>) => tryOn(filters, trial);
  const search = beginSearch({ index, fieldsOf, arePlain, found });
  buffer.visit({ matcher: EVERY_SPAN, newestFirst: false, range }, (sequence, location) => {
    trial.sequence = sequence;
    trial.location = location;
    findFilters(search, location);
    return true;
  });
  return [...matched].flatMap(({ subscriptions, found: sequences }) =>
    Array.from(subscriptions, (subscription) => ({ subscription, found: sequences })),
  );
}

const NOWHERE: SpanLocation = {
  bytes: new Uint8Array(0),
  spanOffset: 0,
  spanLength: 0,
  resourceOffset: 0,
  resourceLength: 0,
  traceTail: 0,
};

/** Holds the span being tried, and the filters that have matched in this show. */
interface Trial {
  readonly number: number;
  sequence: number;
  location: SpanLocation;
  readonly matched: Set<IndexedFilter>;
}

function tryOn(filters: ReadonlySet<IndexedFilter>, trial: Trial): void {
  const { number, sequence, location, matched } = trial;
  for (const indexed of filters) {
    if (indexed.lastShow !== number) begin(indexed, number);
    // A filter is found once for each attribute with its key and value.
    if (indexed.lastSequence === sequence) continue;
    indexed.lastSequence = sequence;
    if (!indexed.matcher.matches(location)) continue;
    indexed.found.push(sequence);
    matched.add(indexed);
  }
}

/** Resets the filter, because the bytes have changed since the last show. */
function begin(indexed: IndexedFilter, show: number): void {
  indexed.lastShow = show;
  indexed.lastSequence = 0;
  indexed.found = [];
  indexed.matcher.reset();
}
