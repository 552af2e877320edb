import { isAttributeCondition, type AttributeCondition } from "../query/attribute-test.ts";
import { isRepeatable } from "../query/span-filter.ts";
import { AT_LEAST_ONE, isCount, NONE, readCount } from "./count-range.ts";
import type {
  CountRange,
  Expectation,
  ExpectationMistake,
  RelationKind,
  Selector,
  SpanPath,
  WrittenCondition,
} from "./expectation.ts";
import { isShortAttribute, readExpectedCondition, unescaped } from "./expectation-condition.ts";
import { type Part, splitExpectation } from "./split-expectation.ts";

/** The mistakes in an expectation, in the order in which they are found. */
export interface ExpectationMistakes {
  readonly mistakes: readonly ExpectationMistake[];
}

/** Bounds the time and the memory of a parser and of an evaluation. */
export const MAX_EXPECTATION_LENGTH = 4_096;
const MAX_CONDITIONS = 32;
/** Limits both sides of `before` together: each selector takes a bit of a byte for each span. */
export const MAX_SELECTORS = 8;

/**
 * Parses an expectation; `spanring help expectations` describes the language.
 *
 *     name=SELECT* under name='GET /orders' & count=1..5
 *     all kind=server have http.route
 *     name=authorize before name=charge
 *     no error anywhere
 */
export function readExpectation(
  text: string,
  nowUnixNano: bigint,
): Expectation | ExpectationMistakes {
  if (text.length > MAX_EXPECTATION_LENGTH) return onlyMistake(1, TOO_LONG);
  if (NO_ERROR.test(text)) return noError(text);
  const negation = NEGATION.exec(text);
  if (negation !== null) return onlyMistake(text.indexOf("no") + 1, ONLY_NO_ERROR);
  const start = ALL.exec(text)?.[0].length ?? 0;
  const parts = splitExpectation(text, { start, hasRequirement: start > 0 });
  if ("mistake" in parts) return { mistakes: [parts] };
  const reading = readParts(parts, start > 0, nowUnixNano);
  if (start > 0 && reading.requirement === undefined) {
    addMistake(reading, text.trimEnd().length + 1, NO_REQUIREMENT);
  }
  checkLimits(reading);
  const { mistakes, subject, requirement, later, count = AT_LEAST_ONE } = reading;
  if (mistakes.length > 0) return { mistakes };
  return {
    text,
    subject: pathOf(subject),
    count,
    requirement: requirement === undefined ? undefined : requirement.selectors[0],
    later: later === undefined ? undefined : pathOf(later),
  };
}

const NO_ERROR = /^\s*no\s+error\s+anywhere\s*$/;
const NEGATION = /^\s*no(?:\s+[^\s=<>]|\s*$)/;
const ALL = /^\s*all(?:\s+|$)/;

const TOO_LONG = `an expectation has at most ${MAX_EXPECTATION_LENGTH} characters`;
const ONLY_NO_ERROR =
  'only "no error anywhere" begins with no; to expect no other spans, add count=0 to their ' +
  "conditions, as in name=retry & count=0";
const NO_REQUIREMENT =
  'after "all" and its conditions, "have" and other conditions must follow, as in ' +
  "all kind=server have http.route";

function onlyMistake(column: number, mistake: string): ExpectationMistakes {
  return { mistakes: [{ column, mistake }] };
}

function noError(text: string): Expectation {
  const condition = { text: "status=error", test: { on: "status", value: 2 } } as const;
  const subject = { selector: { conditions: [condition] }, relation: undefined };
  return { text, subject, count: NONE, requirement: undefined, later: undefined };
}

/** One side of an expectation while it is read: n selectors, and n - 1 relations between them. */
interface Side {
  readonly selectors: GrowingSelector[];
  readonly relations: RelationKind[];
}

interface GrowingSelector extends Selector {
  readonly conditions: WrittenCondition[];
  /** Where the selector begins, for a mistake if it has no condition. */
  readonly column: number;
}

interface Reading {
  readonly isAll: boolean;
  readonly mistakes: ExpectationMistake[];
  readonly subject: Side;
  requirement: Side | undefined;
  later: Side | undefined;
  /** The side that the next condition belongs to. */
  side: Side;
  count: CountRange | undefined;
  conditionCount: number;
}

function readParts(parts: readonly Part[], isAll: boolean, nowUnixNano: bigint): Reading {
  const subject = sideAt(1);
  const reading: Reading = {
    isAll,
    mistakes: [],
    subject,
    requirement: undefined,
    later: undefined,
    side: subject,
    count: undefined,
    conditionCount: 0,
  };
  for (const part of parts) {
    beginSelector(reading, part);
    if (isCount(part.plain) && part.quoted === undefined) addCount(reading, part);
    else addCondition(reading, part, nowUnixNano);
  }
  return reading;
}

function sideAt(column: number): Side {
  return { selectors: [{ conditions: [], column }], relations: [] };
}

function addMistake({ mistakes }: Reading, column: number, mistake: string): void {
  mistakes.push({ column, mistake });
}

/** Begins the selector or the side that a joint other than `&` announces. */
function beginSelector(reading: Reading, { joint, column }: Part): void {
  switch (joint) {
    case undefined:
    case "&":
      return;
    case "have":
      if (reading.requirement !== undefined) addMistake(reading, column, "have is given twice");
      reading.side = reading.requirement = sideAt(column);
      return;
    case "before":
      if (reading.later !== undefined) addMistake(reading, column, "before is given twice");
      if (reading.isAll) addMistake(reading, column, `before ${NOT_WITH_ALL}`);
      reading.side = reading.later = sideAt(column);
      return;
    default:
      if (reading.side === reading.requirement) {
        addMistake(reading, column, `"${joint}" must stand before "have"`);
      }
      reading.side.relations.push(joint);
      reading.side.selectors.push({ conditions: [], column });
  }
}

const NOT_WITH_ALL = "cannot follow all; write two expectations";

function addCount(reading: Reading, { plain, column }: Part): void {
  const range = readCount(plain, reading.isAll);
  if (reading.count !== undefined) addMistake(reading, column, COUNTED_TWICE);
  if ("mistake" in range) addMistake(reading, column, range.mistake);
  else reading.count = range;
}

const COUNTED_TWICE = "count is given more than once; write a range as count=2..5";

function addCondition(reading: Reading, part: Part, nowUnixNano: bigint): void {
  const { column, joint } = part;
  const conditions = reading.side.selectors.at(-1)!.conditions;
  reading.conditionCount += 1;
  const test = readExpectedCondition(part, nowUnixNano);
  if ("mistake" in test) {
    const isWord = joint !== undefined && joint !== "&";
    addMistake(reading, column, test.mistake + (isWord ? quoteHint(joint) : ""));
    return;
  }
  const text = unescaped(part.written);
  const around = conditions.at(-1);
  const holder = around?.test.on === "event" || around?.test.on === "link" ? around : undefined;
  if (holder !== undefined && isShortAttribute(part)) {
    conditions[conditions.length - 1] = withAttribute(holder, text, test as AttributeCondition);
    return;
  }
  const isRepeated = conditions.some((each) => each.test.on === test.on && !mayRepeat(test));
  if (isRepeated) addMistake(reading, column, `${test.on} is given more than once`);
  conditions.push({ text, test });
}

function quoteHint(joint: string): string {
  return `; if "${joint}" belongs to the value before it, quote that value: name='...'`;
}

/** Adds an attribute to the event or the link before it. */
function withAttribute(
  { text, test }: WrittenCondition,
  attributeText: string,
  attribute: AttributeCondition,
): WrittenCondition {
  const holder = test as Extract<WrittenCondition["test"], { attributes: unknown }>;
  const attributes = [...holder.attributes, attribute];
  return { text: `${text} & ${attributeText}`, test: { ...holder, attributes } };
}

/** Reports whether a condition may be given several times. No span has two names. */
function mayRepeat(test: WrittenCondition["test"]): boolean {
  if (test.on === "event" || test.on === "link") return true;
  return isAttributeCondition(test) || isRepeatable(test.on);
}

function checkLimits(reading: Reading): void {
  const { subject, later, requirement } = reading;
  const sides = [subject, later, requirement].filter((side) => side !== undefined);
  const selectors = sides.flatMap((side) => side.selectors);
  for (const { column } of selectors.filter((each) => isEmpty(reading, each))) {
    addMistake(reading, column, "a condition must stand here, such as name=value");
  }
  const pathSelectors = subject.selectors.length + (later?.selectors.length ?? 0);
  if (pathSelectors > MAX_SELECTORS) {
    addMistake(reading, 1, `an expectation relates at most ${MAX_SELECTORS} selections of spans`);
  }
  if (reading.conditionCount > MAX_CONDITIONS) {
    addMistake(reading, 1, `an expectation has at most ${MAX_CONDITIONS} conditions`);
  }
  if (later !== undefined && reading.count !== undefined) {
    addMistake(reading, later.selectors[0]!.column, "count has no meaning with before; omit it");
  }
}

/** Reports whether a selector lacks conditions that it needs. Only a count may stand alone. */
function isEmpty({ mistakes, subject, later, isAll }: Reading, selector: GrowingSelector): boolean {
  if (selector.conditions.length > 0 || mistakes.length > 0) return false;
  const isAlone = selector === subject.selectors[0] && subject.selectors.length === 1;
  return !isAlone || later !== undefined || isAll;
}

function pathOf({ selectors, relations }: Side, from = 0): SpanPath {
  const { conditions } = selectors[from]!;
  const kind = relations[from];
  const relation =
    kind === undefined ? undefined : { kind, to: pathOf({ selectors, relations }, from + 1) };
  return { selector: { conditions }, relation };
}
