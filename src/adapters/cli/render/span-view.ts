import { escapePeerText } from "../../../domain/text/quote-text.ts";
import type { Palette } from "../output/palette.ts";
import { exactDateText, durationText } from "../output/quantities.ts";
import { widest, widthOf } from "../output/text-columns.ts";
import {
  attributesOf,
  durationOf,
  type JsonObject,
  KIND_WORDS,
  listOf,
  nanosOf,
  objectOf,
  type ShownAttribute,
  type ShownSpan,
  spanFromJson,
  textOf,
} from "./shown-span.ts";

/** A part of a span: a heading, and keys with values. A part without either is not shown. */
interface Section {
  readonly title: string;
  readonly facts: readonly ShownAttribute[];
  /** Whether the heading alone is worth a line, as that of an event is. */
  readonly isWorthALine: boolean;
}

const STATUS_WORDS = ["unset", "ok", "error"];
const INDENT = "  ";
const GAP = "  ";
const MAX_KEY_COLUMNS = 36;
const MIN_VALUE_COLUMNS = 20;

/**
 * Shows all of one span, from a line of NDJSON that was read as JSON. Nothing is shortened: long
 * values continue on further lines.
 *
 *     span b7ad6b7169203331  GET /orders/{id}
 *       service         shop
 *       status          error
 *       duration        12.3 ms
 *
 *     attributes
 *       http.route      /orders/{id}
 *
 *     event exception, after 5.10 ms
 *       exception.type  RuntimeError
 */
export function spanView(json: JsonObject, columns: number, palette: Palette): string[] {
  const span = spanFromJson(json, textOf(json["service"]));
  const sections = sectionsOf(span, json).filter((each) => each.isWorthALine || each.facts.length);
  const keys = sections.flatMap(({ facts }) => facts.map(({ key }) => escapePeerText(key)));
  const key = Math.min(widest(keys), MAX_KEY_COLUMNS);
  const texts = sections.map(({ title, facts }) => {
    const lines = facts.flatMap((fact) => factLines(fact, { key, columns, palette }));
    return [palette.heading(escapePeerText(title)), ...lines].join("\n");
  });
  return texts.join("\n\n").split("\n");
}

function sectionsOf(span: ShownSpan, json: JsonObject): Section[] {
  const resource = objectOf(json["resource"]);
  const scope = objectOf(json["scope"]);
  const events = listOf(json["events"]).map((event) =>
    section(eventTitle(span, event), [...attributesOf(event["attributes"]), ...dropped(event)]),
  );
  const links = listOf(json["links"]).map((link) => section("link", linkFacts(link)));
  return [
    section(`span ${span.spanId}${GAP}${span.name}`, spanFacts(span, json)),
    { ...section("attributes", span.attributes), isWorthALine: false },
    ...events,
    ...links,
    {
      ...section("resource", [
        ...attributesOf(resource["attributes"]),
        ...dropped(resource),
        ...optional("schema", json["resourceSchemaUrl"]),
      ]),
      isWorthALine: false,
    },
    {
      ...section("scope", [
        ...optional("name", scope["name"]),
        ...optional("version", scope["version"]),
        ...attributesOf(scope["attributes"]),
        ...dropped(scope),
        ...optional("schema", json["scopeSchemaUrl"]),
      ]),
      isWorthALine: false,
    },
  ];
}

function section(title: string, facts: readonly ShownAttribute[]): Section {
  return { title, facts, isWorthALine: true };
}

function spanFacts(span: ShownSpan, json: JsonObject): ShownAttribute[] {
  const code = Number(objectOf(json["status"])["code"] ?? 0);
  const status = STATUS_WORDS[code] ?? String(code);
  const message = span.statusMessage === "" ? "" : `: ${span.statusMessage}`;
  return [
    { key: "service", value: span.service },
    { key: "trace", value: span.traceId },
    { key: "parent", value: span.parentSpanId || "none, this is a root" },
    { key: "kind", value: KIND_WORDS[span.kind] || "unspecified" },
    { key: "status", value: status + message },
    { key: "start", value: exactDateText(span.startNano) },
    { key: "end", value: exactDateText(span.endNano) },
    { key: "duration", value: durationText(durationOf(span)) },
    ...optional("trace state", json["traceState"]),
    ...optional("flags", json["flags"]),
    ...dropped(json),
    ...optional("dropped events", json["droppedEventsCount"]),
    ...optional("dropped links", json["droppedLinksCount"]),
    ...optional("sequence", json["sequence"]),
  ];
}

/** Returns a fact; none if its value is not set, which proto3 JSON writes as 0 or leaves out. */
function optional(key: string, value: unknown): ShownAttribute[] {
  const text = textOf(value);
  return text === "" || text === "0" ? [] : [{ key, value: text }];
}

function dropped({ droppedAttributesCount }: JsonObject): ShownAttribute[] {
  return optional("dropped attributes", droppedAttributesCount);
}

function eventTitle({ startNano }: ShownSpan, event: JsonObject): string {
  const time = nanosOf(event["timeUnixNano"]);
  const after = durationOf({ startNano, endNano: time });
  const when = after === undefined ? "at an unknown time" : `after ${durationText(after)}`;
  return `event ${textOf(event["name"])}, ${when}`;
}

function linkFacts(link: JsonObject): ShownAttribute[] {
  return [
    ...optional("trace", link["traceId"]),
    ...optional("span", link["spanId"]),
    ...optional("trace state", link["traceState"]),
    ...optional("flags", link["flags"]),
    ...attributesOf(link["attributes"]),
    ...dropped(link),
  ];
}

interface FactLayout {
  /** The columns of keys. */
  readonly key: number;
  readonly columns: number;
  readonly palette: Palette;
}

/** Returns the lines of a fact. A key that is too long gets a line of its own. */
function factLines(fact: ShownAttribute, { key: keyColumns, columns, palette }: FactLayout) {
  const key = escapePeerText(fact.key);
  const valueColumns = Math.max(
    columns - INDENT.length - keyColumns - GAP.length,
    MIN_VALUE_COLUMNS,
  );
  const [first = "", ...more] = valueLines(fact.value, valueColumns);
  const below = " ".repeat(INDENT.length + keyColumns + GAP.length);
  const padding = keyColumns - widthOf(key);
  const head = INDENT + palette.word(key);
  const others = more.map((line) => below + line);
  if (padding < 0) return [head, below + first, ...others];
  return [`${head}${" ".repeat(padding)}${GAP}${first}`.trimEnd(), ...others];
}

/** Returns the lines of a value, such as those of a stack trace, each of which is wrapped. */
function valueLines(value: string, columns: number): string[] {
  const options = { hard: true, trim: false };
  const lines = value.trimEnd().split(/\r?\n/);
  return lines.flatMap((line) => Bun.wrapAnsi(escapePeerText(line), columns, options).split("\n"));
}
