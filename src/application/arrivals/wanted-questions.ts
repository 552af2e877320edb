import { type FilterKey, filterKeys, nameHash } from "../../domain/query/filter-key.ts";
import type { SpanFilter } from "../../domain/query/span-filter.ts";
import type { FieldsOf, SpanPlace } from "../../domain/query/span-matcher.ts";
import { plainNameAt } from "../../domain/wire/plain-fields.ts";
import { serviceName } from "../../domain/wire/service-name.ts";
import { KeyedSets } from "./keyed-sets.ts";
import { WantedAttributes } from "./wanted-attributes.ts";
import { WantedKeys } from "./wanted-keys.ts";

/**
 * Questions by what they ask for most precisely: a trace, a name, an attribute or a service. So a
 * thousand of them cost a span about as much as one. Only those that ask for none of these are
 * found by every span.
 */
export interface WantedQuestions<Question> {
  readonly byTrace: WantedKeys<Question>;
  readonly byName: WantedKeys<Question>;
  readonly byAttribute: WantedAttributes<Question>;
  readonly byService: KeyedSets<string, Question>;
  readonly byNothing: KeyedSets<null, Question>;
}

/**
 * Found together, each with a filter of its own: no more are tried on a span. What has no room
 * under the most telling of its keys may have it under the next.
 */
export const MOST_FOUND_TOGETHER = 64;

export function wantedQuestions<Question>(): WantedQuestions<Question> {
  return {
    byTrace: new WantedKeys(),
    byName: new WantedKeys(),
    byAttribute: new WantedAttributes(),
    byService: new KeyedSets(),
    byNothing: new KeyedSets(),
  };
}

/**
 * Answers the function that takes it out again, to be called once; undefined when there is no room
 * for it under any of its keys, nor among those without one.
 */
export function addQuestion<Question>(
  wanted: WantedQuestions<Question>,
  filter: SpanFilter,
  question: Question,
): (() => void) | undefined {
  const shelves = filterKeys(filter).map((key) => shelfOf(wanted, key));
  shelves.push(shelfAt(wanted.byNothing, null));
  const shelf = shelves.find(({ count }) => count() < MOST_FOUND_TOGETHER);
  shelf?.add(question);
  return shelf && (() => shelf.remove(question));
}

/** Questions that are found together. */
interface Shelf<Question> {
  readonly count: () => number;
  readonly add: (question: Question) => void;
  readonly remove: (question: Question) => void;
}

function shelfOf<Question>(
  { byTrace, byName, byAttribute, byService }: WantedQuestions<Question>,
  key: FilterKey,
): Shelf<Question> {
  switch (key.on) {
    case "trace_id":
      return shelfAt(byTrace, key.tail);
    case "name":
      return shelfAt(byName, key.hash);
    case "attribute":
      return shelfAt(byAttribute, key);
    case "service":
      return shelfAt(byService, key.value);
  }
}

interface Keyed<Key, Question> {
  countAt(key: Key): number;
  add(key: Key, question: Question): void;
  remove(key: Key, question: Question): void;
}

function shelfAt<Key, Question>(keyed: Keyed<Key, Question>, key: Key): Shelf<Question> {
  return {
    count: () => keyed.countAt(key),
    add: (question) => keyed.add(key, question),
    remove: (question) => keyed.remove(key, question),
  };
}

/** One search, for the spans that arrived together. */
export interface QuestionSearch<Question> {
  readonly wanted: WantedQuestions<Question>;
  readonly fieldsOf: FieldsOf;
  /** Every span is plain, as the wire walk says. */
  readonly arePlain: boolean;
  /** Told of the questions that a span may answer, of some of them several times. */
  readonly found: (questions: ReadonlySet<Question>) => void;
  /** Spans of one resource come together, and are found the same by it. */
  resourceOffset: number;
  ofResource: ReadonlySet<Question>[];
}

export function beginSearch<Question>(
  search: Omit<QuestionSearch<Question>, "resourceOffset" | "ofResource">,
): QuestionSearch<Question> {
  // No offset is below zero.
  return { ...search, resourceOffset: -1, ofResource: [] };
}

export function findQuestions<Question>(search: QuestionSearch<Question>, place: SpanPlace): void {
  const { found } = search;
  const { byTrace, byName, byAttribute, byNothing } = search.wanted;
  const ofTrace = byTrace.isEmpty ? undefined : byTrace.valuesOf(place.traceTail);
  if (ofTrace !== undefined) found(ofTrace);
  const ofName = byName.isEmpty ? undefined : byName.valuesOf(nameHashOf(search, place));
  if (ofName !== undefined) found(ofName);
  if (!byAttribute.isEmpty) byAttribute.ofSpan(place, found);
  if (search.resourceOffset !== place.resourceOffset) findOfResource(search, place);
  for (const questions of search.ofResource) found(questions);
  const ofNothing = byNothing.isEmpty ? undefined : byNothing.valuesOf(null);
  if (ofNothing !== undefined) found(ofNothing);
}

function findOfResource<Question>(search: QuestionSearch<Question>, place: SpanPlace): void {
  const { byAttribute, byService } = search.wanted;
  const { bytes, resourceOffset, resourceLength } = place;
  const ofResource: ReadonlySet<Question>[] = [];
  search.resourceOffset = resourceOffset;
  search.ofResource = ofResource;
  if (!byAttribute.isEmpty) byAttribute.ofResource(place, (found) => void ofResource.push(found));
  if (byService.isEmpty) return;
  const ofService = byService.valuesOf(serviceName(bytes, resourceOffset, resourceLength));
  if (ofService !== undefined) ofResource.push(ofService);
}

/** Of a plain span it takes a few loads, of any other a look at all its fields. */
function nameHashOf<Question>(
  { arePlain, fieldsOf }: QuestionSearch<Question>,
  place: SpanPlace,
): number {
  const { bytes, spanOffset, spanLength } = place;
  const at = arePlain ? plainNameAt(bytes, spanOffset, spanLength) : 0;
  if (at > 0) return nameHash(bytes, at + 1, at + 1 + bytes[at]!);
  const { nameStart, nameEnd } = fieldsOf(place);
  return nameHash(bytes, nameStart, nameEnd);
}
