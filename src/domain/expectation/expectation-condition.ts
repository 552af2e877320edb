import { readDuration } from "../query/time-text.ts";
import { isAttributeCondition } from "../query/attribute-test.ts";
import {
  CONDITION_NAMES,
  isConditionName,
  readCondition,
  type SpanCondition,
  unknownCondition,
} from "../query/span-filter.ts";
import { quotePeerText } from "../text/quote-text.ts";
import type { EventCondition, LinkCondition, WrittenCondition } from "./expectation.ts";
import type { Part } from "./split-expectation.ts";

type ConditionTest = WrittenCondition["test"];
interface Mistaken {
  readonly mistake: string;
}

/** A condition split at its sign. A bare name has no sign. */
interface Shape {
  readonly name: string;
  readonly sign: string;
  readonly value: string;
  /** Whether the value is quoted, so that `*` is a plain character. */
  readonly isQuoted: boolean;
}

/** The words beside the conditions of the read API. */
const OTHER_NAMES = ["duration", "event", "link", "count"];

/**
 * Parses one condition: `name=GET *`, `http.route=/orders/*`, `http.response.status_code>=500`,
 * `http.route`, `duration<250ms`, `event=exception`, `link=*`, or a filter of the read API.
 *
 * A name with a dot is the key of an attribute. Without a dot it must be known, so that a slip of
 * the pen is a mistake and not an attribute that no span has.
 */
export function readExpectedCondition(part: Part, nowUnixNano: bigint): ConditionTest | Mistaken {
  const shape = shapeOf(part);
  if (shape === undefined) return notCondition(part);
  const { name } = shape;
  if (name === "duration") return durationCondition(shape);
  if (name === "event") return eventCondition(shape, part);
  if (name === "link") return linkCondition(shape, part);
  if (isConditionName(name)) return namedCondition(shape, part, nowUnixNano);
  if (name.includes(".")) return attributeCondition(shape, part, nowUnixNano);
  if (shape.sign === "") return notCondition(part);
  return unknownCondition(name, [...CONDITION_NAMES, ...OTHER_NAMES]);
}

/** Reports whether a condition names an attribute by its key, as in `http.route=/orders`. */
export function isShortAttribute({ plain }: Part): boolean {
  const name = SHAPE.exec(plain)?.groups?.["name"] ?? "";
  return name.includes(".");
}

const SHAPE = /^(?<name>[^\s=<>]+)\s*(?:(?<sign>>=|<=|=|<|>)\s*(?<value>[^]*))?$/;

function shapeOf({ plain, quoted }: Part): Shape | undefined {
  const { name, sign = "", value = "" } = SHAPE.exec(plain)?.groups ?? {};
  if (name === undefined) return undefined;
  return { name, sign, value: unescaped(value) + (quoted ?? ""), isQuoted: quoted !== undefined };
}

/** Returns a text with `&` in place of `\&`, which is needed only between spaces. */
export function unescaped(text: string): string {
  return text.replaceAll(String.raw`\&`, "&");
}

function notCondition({ written }: Part): Mistaken {
  return {
    mistake:
      `"${quotePeerText(written)}" must be name=value, such as service=shop; an attribute is ` +
      "written with its whole key, such as http.route=/orders, or attribute_exists=KEY",
  };
}

function namedCondition(
  { name, sign, value, isQuoted }: Shape,
  part: Part,
  nowUnixNano: bigint,
): SpanCondition | Mistaken {
  if (sign !== "=") return notCondition(part);
  const isPattern = name === "name" && !isQuoted && value.includes("*");
  return readCondition(isPattern ? "name_matches" : name, value, nowUnixNano);
}

function attributeCondition(
  { name, sign, value, isQuoted }: Shape,
  part: Part,
  nowUnixNano: bigint,
): SpanCondition | Mistaken {
  if (sign === "") return readCondition("attribute_exists", name, nowUnixNano);
  if (sign !== "=") return readCondition("attribute_number", name + sign + value, nowUnixNano);
  const isPattern = !isQuoted && value.includes("*");
  const condition = readCondition(
    isPattern ? "attribute_matches" : "attribute",
    `${name}=${value}`,
    nowUnixNano,
  );
  return "mistake" in condition || isAttributeCondition(condition) ? condition : notCondition(part);
}

function durationCondition({ sign, value }: Shape): SpanCondition | Mistaken {
  const nano = readDuration(value);
  if (nano === undefined || sign === "=" || sign === "") {
    const bound = "duration must have <, <=, > or >= and a time, such as duration<250ms";
    return { mistake: `"duration${sign}${quotePeerText(value)}": ${bound}` };
  }
  if (sign === "<" && nano === 0n) return { mistake: `"duration<${value}" can never be met` };
  if (sign === ">") return { on: "min_duration", durationNano: nano + 1n };
  if (sign === "<") return { on: "max_duration", durationNano: nano - 1n };
  return { on: sign === ">=" ? "min_duration" : "max_duration", durationNano: nano };
}

function eventCondition({ sign, value, isQuoted }: Shape, part: Part): EventCondition | Mistaken {
  if (sign !== "" && sign !== "=") return notCondition(part);
  if (sign === "=" && value === "") return { mistake: "event must have a name, or * for any" };
  const isAny = sign === "" || (value === "*" && !isQuoted);
  const name = isAny ? undefined : { text: value, isPattern: !isQuoted && value.includes("*") };
  return { on: "event", name, attributes: [] };
}

const LINK_ID = /^(?:[\da-f]{32}|[\da-f]{16})$/i;

function linkCondition({ sign, value }: Shape, part: Part): LinkCondition | Mistaken {
  if (sign !== "" && sign !== "=") return notCondition(part);
  if (sign === "" || value === "*") return { on: "link", id: undefined, attributes: [] };
  if (LINK_ID.test(value)) return { on: "link", id: value.toLowerCase(), attributes: [] };
  const bound = "must be *, the 32 hex digits of a trace id, or the 16 of a span id";
  return { mistake: `link is "${quotePeerText(value)}"; it ${bound}` };
}
