/** TypeScript does not know of it yet. Source: ECMAScript proposal "JSON.parse source text". */
declare global {
  interface JSON {
    rawJSON(text: string): unknown;
  }
}

/** Parses JSON so that `JSON.stringify` writes it again with the numbers that are in it. */
export function parseExactly(text: string): object {
  return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown) as object;
}

/** A number that a double would change is kept as its digits. */
function keepDigits(_: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === "number" && String(value) !== source ? JSON.rawJSON(source!) : value;
}
