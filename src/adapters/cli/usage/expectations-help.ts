import { CONDITION_NAMES } from "../../../domain/query/span-filter.ts";
import type { Palette } from "../output/palette.ts";

const COLUMNS = 80;

/** A form, and its meaning. */
type Form = readonly [form: string, meaning: string];

const EXPECTATIONS: readonly Form[] = [
  ["CONDITIONS", "at least one span meets all of these conditions"],
  ["CONDITIONS & count=2", "exactly two do; also count=2..5, count>=2, count<=2, count=0"],
  ["CONDITIONS under CONDITIONS", "the second ones are met by an ancestor of the span"],
  ["CONDITIONS directly under CONDITIONS", "by its parent"],
  ["CONDITIONS linked to CONDITIONS", "by a span to which it has a link"],
  ["all CONDITIONS have CONDITIONS", "every span that meets the first meets the second"],
  ["CONDITIONS before CONDITIONS", "each of the second begins after one of the first"],
  ["no error anywhere", "no span has the status error"],
];

const CONDITION_FORMS: readonly Form[] = [
  ["name=GET *", "the name; * stands for any text, unless the value is quoted"],
  ["http.route=/orders/*", "an attribute of the span or, without one, of its resource"],
  ["http.route", "such an attribute, whatever its value"],
  ["http.response.status_code>=500", "its number, with <, <=, > or >="],
  ["duration<250ms", "the duration, with <, <=, > or >="],
  ["event=exception", "an event with this name; event=* for any"],
  ["link=*", "a link; or the id of the trace or of the span it leads to"],
];

const NOTES: readonly string[] = [
  `The filters of the read API are conditions as well: ${CONDITION_NAMES.join(", ")}.`,
  "Conditions are joined by ' & '. Attributes that follow an event or a link are its own: " +
    "event=exception & exception.type=TimeoutError. The key of an attribute without a dot is " +
    "written attribute=KEY=VALUE, attribute_exists=KEY or attribute_number=KEY>5.",
  "A value ends at ' & ' and at the words above. Quote it if it contains them: " +
    "name='sit under tree'. Within quotes, a backslash stands before a quote or a backslash; " +
    "outside, \\& means &.",
  "A count is that of the spans before under, linked to and have. The default is count>=1, also " +
    "after all: add count>=0 if there may be none. Relations can follow each other: " +
    "name=a under name=b under name=c.",
  "With before, spans are compared within each trace, by their starts. Clocks of different hosts " +
    "may differ.",
  "If spans were evicted, rejected or refused, an expectation that they might break is not met: " +
    "one with a maximum, all, before, and no error anywhere.",
];

const EXAMPLES: readonly string[] = [
  "name=SELECT* under name='GET /orders' & count=1..5",
  "all kind=server have http.route & duration<250ms",
  "name=authorize before name=charge",
  "event=exception & exception.type=TimeoutError & count=0",
];

const FILE: readonly string[] = [
  "# spanring run --expect-file spans.yaml -- npm test",
  "expectations:",
  "  - name=SELECT* under name='GET /orders' & count=1..5",
  "  - no error anywhere",
];

/** Returns the sections of `spanring help expectations`. */
export function expectationSections(palette: Palette): string[] {
  const { heading } = palette;
  return [
    [heading("Expectations"), ...forms(EXPECTATIONS, palette)].join("\n"),
    [heading("Conditions"), ...forms(CONDITION_FORMS, palette)].join("\n"),
    NOTES.map((note) => Bun.wrapAnsi(note, COLUMNS)).join("\n"),
    [heading("Examples"), ...EXAMPLES.map((example) => `  ${example}`)].join("\n"),
    [heading("A file, in YAML or JSON"), ...FILE.map((line) => `  ${line}`)].join("\n"),
  ];
}

function forms(rows: readonly Form[], { word }: Palette): string[] {
  const width = Math.max(...rows.map(([form]) => form.length)) + 2;
  return rows.map(
    ([form, meaning]) => `  ${word(form)}${" ".repeat(width - form.length)}${meaning}`,
  );
}
