import type { AttributeCondition } from "../query/attribute-test.ts";
import type { SpanCondition } from "../query/span-filter.ts";

/** Says how many spans must match, what all of them must have, or which must begin first. */
export interface Expectation {
  /** The expectation as written. */
  readonly text: string;
  /** Selects the spans that are counted. */
  readonly subject: SpanPath;
  readonly count: CountRange;
  /** The conditions that all of these spans must meet; undefined if they are only counted. */
  readonly requirement: Selector | undefined;
  /** Selects spans that may begin only after a span of the subject, in each trace. */
  readonly later: SpanPath | undefined;
}

/** Selects spans by their own conditions and, if there is a relation, by another span. */
export interface SpanPath {
  readonly selector: Selector;
  readonly relation: SpanRelation | undefined;
}

export interface SpanRelation {
  readonly kind: RelationKind;
  readonly to: SpanPath;
}

/** A relation as written between two selectors: to an ancestor, to the parent, by a link. */
export type RelationKind = "under" | "directly under" | "linked to";

/** Selects spans for which all conditions hold; without conditions, every span. */
export interface Selector {
  readonly conditions: readonly WrittenCondition[];
}

export interface WrittenCondition {
  /** The condition as written. */
  readonly text: string;
  readonly test: SpanCondition | EventCondition | LinkCondition;
}

/** Selects spans with such an event: one event has the name and all the attributes. */
export interface EventCondition {
  readonly on: "event";
  /** Undefined for any name. A pattern has `*` for any text. */
  readonly name: { readonly text: string; readonly isPattern: boolean } | undefined;
  readonly attributes: readonly AttributeCondition[];
}

/** Selects spans with such a link: one link has the identifier and all the attributes. */
export interface LinkCondition {
  readonly on: "link";
  /** 32 hex digits of a trace, or 16 of a span, in lowercase; undefined for any link. */
  readonly id: string | undefined;
  readonly attributes: readonly AttributeCondition[];
}

/** A number of spans from `min` to `max`; without a maximum, `max` is infinite. */
export interface CountRange {
  readonly min: number;
  readonly max: number;
}

/** A mistake in an expectation: a sentence, and where it is, counted from 1. */
export interface ExpectationMistake {
  readonly column: number;
  readonly mistake: string;
}

/** Reports whether spans that arrive later may break an expectation that is met. */
export function isFragile({ count, requirement, later }: Expectation): boolean {
  return count.max < Infinity || requirement !== undefined || later !== undefined;
}

/** Returns the selectors of a path, from the spans it selects to the last ones they relate to. */
export function selectorsOf({ selector, relation }: SpanPath): Selector[] {
  return [selector, ...(relation === undefined ? [] : selectorsOf(relation.to))];
}

/** Returns a selector or a path as written. */
export function selectorText({ conditions }: Selector): string {
  return conditions.map(({ text }) => text).join(" & ") || "any span";
}

export function relationText({ kind, to }: SpanRelation): string {
  return `${kind} ${pathText(to)}`;
}

export function pathText({ selector, relation }: SpanPath): string {
  const own = selectorText(selector);
  return relation === undefined ? own : `${own} ${relationText(relation)}`;
}
