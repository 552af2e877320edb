/** The conditions of the API that the page offers, in the order of its menu. */
export const CONDITIONS = [
  { name: "text", label: "Text", example: "timeout" },
  { name: "service", label: "Service", example: "checkout" },
  { name: "name", label: "Whole name", example: "GET /orders" },
  { name: "name_contains", label: "Name", example: "GET /orders" },
  { name: "status", label: "Status", example: "error" },
  { name: "kind", label: "Kind", example: "server" },
  { name: "min_duration", label: "At least", example: "250ms" },
  { name: "max_duration", label: "At most", example: "2s" },
  { name: "attribute", label: "Attribute", example: "http.route=/orders" },
  { name: "attribute_exists", label: "Has attribute", example: "db.system" },
  { name: "attribute_number", label: "Number", example: "http.response.status_code>=500" },
] as const;

export type ConditionName = (typeof CONDITIONS)[number]["name"];

const REPEATABLE = new Set<string>(["attribute", "attribute_exists", "attribute_number"]);

/** A condition with its operand. */
export interface Chip {
  readonly name: ConditionName;
  readonly value: string;
}

/** Returns the conditions in the query of a URL. Other parameters are ignored. */
export function chipsOf(query: string): Chip[] {
  const names = new Map(CONDITIONS.map(({ name }) => [name as string, name]));
  return [...new URLSearchParams(query)].flatMap(([name, value]) => {
    const known = names.get(name);
    return known === undefined || value === "" ? [] : [{ name: known, value }];
  });
}

/** Returns the query of a URL, without the question mark. */
export function queryOf(chips: readonly Chip[]): string {
  return new URLSearchParams(chips.map(({ name, value }) => [name, value])).toString();
}

/** Adds a condition. It replaces one of the same name unless several may be given. */
export function withChip(chips: readonly Chip[], added: Chip): Chip[] {
  const kept = chips.filter(({ name, value }) =>
    REPEATABLE.has(name) ? name !== added.name || value !== added.value : name !== added.name,
  );
  return [...kept, added];
}

export function labelOf({ name, value }: Chip): string {
  if (name.startsWith("attribute")) return name === "attribute_exists" ? `has ${value}` : value;
  return `${CONDITIONS.find((each) => each.name === name)!.label.toLowerCase()}: ${value}`;
}
