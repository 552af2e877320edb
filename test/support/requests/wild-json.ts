/**
 * Returns the same JSON as no encoder would write it: white space anywhere, needless escapes,
 * numbers for strings of 64-bit integers and strings for numbers, and members of any form that OTLP
 * does not have. `random` returns a number from 0 up to, but not including, 1.
 */
export function wildJson(value: unknown, random: () => number): string {
  const space = () => pick(["", "", "", " ", "\n", "\t \r\n"], random);
  return space() + wildValue(value, random) + space();
}

/** Returns pseudo-random numbers that are the same for the same seed: Marsaglia's xorshift. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function wildValue(value: unknown, random: () => number): string {
  if (Array.isArray(value)) return `[${value.map((each) => wildJson(each, random)).join(",")}]`;
  if (typeof value === "string") return wildString(value, random);
  if (typeof value === "number") return wildNumber(value, random);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).flatMap((member) => [
    ...(random() < 0.2 ? [unknownMember(random)] : []),
    wildMember(member, random),
  ]);
  return `{${members.join(",")}}`;
}

const WORDS = new Set(["NaN", "Infinity", "-Infinity"]);

function wildMember([key, value]: [string, unknown], random: () => number): string {
  const is64 = key.endsWith("UnixNano") || key === "intValue";
  const asNumber = is64 && random() < 0.5 && !WORDS.has(String(value));
  const text = asNumber ? String(value) : wildJson(value, random);
  return `${wildString(key, random)}:${text}`;
}

function wildString(text: string, random: () => number): string {
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
  if (random() < 0.5) return JSON.stringify(text);
  // Escape either both halves of a surrogate pair or neither; a single escaped half would not be a
  // pair.
  const escaped = units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`);
  return `"${escaped.join("")}"`;
}

function wildNumber(value: number, random: () => number): string {
  const plain = Object.is(value, -0) ? "-0" : JSON.stringify(value);
  return random() < 0.3 ? `"${plain}"` : plain;
}

const UNKNOWN = [
  "null",
  "[]",
  "{}",
  '[1,{"traceId":"x"},[[]],-0.5e+3]',
  '{"a":{"b":[true,false,"\\ud83d\\ude00"]},"traceId":7}',
  '"]}\\""',
];

function unknownMember(random: () => number): string {
  const key = pick(["trace_id", "spans_", "", "x", "TraceId", 'key"'], random);
  return `${wildString(key, random)}:${pick(UNKNOWN, random)}`;
}

function pick<Item>(items: readonly Item[], random: () => number): Item {
  return items[Math.floor(random() * items.length)]!;
}
