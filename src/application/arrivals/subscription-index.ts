import { filterText } from "../../domain/query/filter-key.ts";
import type { SpanFilter } from "../../domain/query/span-filter.ts";
import {
  compileFilter,
  type FieldsOf,
  type SpanMatcher,
  type SpanPlace,
} from "../../domain/query/span-matcher.ts";
import type { ObservabilityBuffer } from "../ring/observability-buffer.ts";
import type { SequenceRange } from "../ring/ring-search.ts";
import { SharedFields } from "../ring/shared-fields.ts";
import {
  addQuestion,
  beginSearch,
  findQuestions,
  type WantedQuestions,
  wantedQuestions,
} from "./wanted-questions.ts";

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
interface Question {
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
 * with the same filter are one question, and questions are found by what they ask for most
 * precisely (see `WantedQuestions`).
 */
export class SubscriptionIndex {
  // Moved by `add`, and by the functions it answers with.
  private readonly questions = new Map<string, Question>();
  private readonly wanted = wantedQuestions<Question>();
  size = 0;

  // Moved by `show`.
  private readonly fields = new SharedFields();
  private shows = 0;

  /**
   * Answers the function that takes it out again, to be called once. Undefined when too many other
   * filters would be tried on the same spans; see `MOST_FOUND_TOGETHER`.
   */
  add(filter: SpanFilter, arrived: Arrived): (() => void) | undefined {
    const text = filterText(filter);
    const question = this.questions.get(text) ?? this.ask(text, filter);
    return question && this.subscribe(question, { arrived });
  }

  /** Tries every span of the range on whoever may want it; then tells each what it wants. */
  show(buffer: Pick<ObservabilityBuffer, "visit">, range: ArrivedRange): void {
    this.shows += 1;
    this.fields.reset();
    const showing = { wanted: this.wanted, number: this.shows, fieldsOf: this.fields.of };
    const matches = matchesIn(buffer, range, showing);
    for (const { subscription, found } of matches) subscription.arrived(found);
  }

  private ask(text: string, filter: SpanFilter): Question | undefined {
    const question = questionOf(text, compileFilter(filter, this.fields.of));
    question.remove = addQuestion(this.wanted, filter, question);
    if (question.remove !== undefined) this.questions.set(text, question);
    return question.remove && question;
  }

  private subscribe(question: Question, subscription: Subscription): () => void {
    question.subscriptions.add(subscription);
    this.size += 1;
    return () => void this.unsubscribe(question, subscription);
  }

  private unsubscribe(question: Question, subscription: Subscription): void {
    this.size -= 1;
    // Others may be told just now, and this one would be next.
    subscription.arrived = () => {};
    question.subscriptions.delete(subscription);
    if (question.subscriptions.size === 0) this.forget(question);
  }

  private forget({ text, remove }: Question): void {
    this.questions.delete(text);
    remove?.();
  }
}

function questionOf(text: string, matcher: SpanMatcher): Question {
  const nothing = { remove: undefined, found: [], lastShow: 0, lastSequence: 0 };
  return { text, matcher, subscriptions: new Set(), ...nothing };
}

/** One look at what has arrived. */
interface Showing {
  readonly wanted: WantedQuestions<Question>;
  readonly number: number;
  readonly fieldsOf: FieldsOf;
}

/** What each is to be told. */
interface Match {
  readonly subscription: Subscription;
  readonly found: readonly number[];
}

/** Gathered before anyone is told: whoever is told may subscribe, to this question or another. */
function matchesIn(
  buffer: Pick<ObservabilityBuffer, "visit">,
  { arePlain, ...range }: ArrivedRange,
  { wanted, number, fieldsOf }: Showing,
): Match[] {
  const matched = new Set<Question>();
  const tried: Tried = { number, sequence: 0, place: NOWHERE, matched };
  const found = (questions: ReadonlySet<Question>) => tryOn(questions, tried);
  const search = beginSearch({ wanted, fieldsOf, arePlain, found });
  buffer.visit({ matcher: EVERY_SPAN, newestFirst: false, range }, (sequence, place) => {
    tried.sequence = sequence;
    tried.place = place;
    findQuestions(search, place);
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

/** A span, and the questions that it or another of the same show has matched. */
interface Tried {
  readonly number: number;
  sequence: number;
  place: SpanPlace;
  readonly matched: Set<Question>;
}

function tryOn(questions: ReadonlySet<Question>, tried: Tried): void {
  const { number, sequence, place, matched } = tried;
  for (const question of questions) {
    if (question.lastShow !== number) begin(question, number);
    // One that is wanted by an attribute is found by each that has its key and value.
    if (question.lastSequence === sequence) continue;
    question.lastSequence = sequence;
    if (!question.matcher.matches(place)) continue;
    question.found.push(sequence);
    matched.add(question);
  }
}

/** Since the last show the bytes have changed. */
function begin(question: Question, show: number): void {
  question.lastShow = show;
  question.lastSequence = 0;
  question.found = [];
  question.matcher.reset();
}
