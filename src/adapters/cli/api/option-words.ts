import { isOptionName, OPTIONS } from "../usage/option-table.ts";

interface Sentence {
  readonly detail: string;
  /** The parameter that the problem concerns, if the API names one. */
  readonly parameter?: string | undefined;
}

/**
 * Turns a sentence about parameters of the API into one about options of the command line:
 * `trace_id is "x"` becomes `--trace-id is "x"`, and `absent=true` becomes `--absent`. Quoted text
 * is a value, and is left alone.
 */
export function inOptions({ detail, parameter }: Sentence): string {
  const blamed = optionOf(parameter ?? "");
  const isBlamed = blamed !== undefined && detail.startsWith(`${parameter} `);
  const text = isBlamed ? blamed + detail.slice(parameter?.length) : detail;
  const [first, last] = [text.indexOf('"'), text.lastIndexOf('"')];
  if (first < 0) return withOptions(text);
  return (
    withOptions(text.slice(0, first)) + text.slice(first, last) + withOptions(text.slice(last))
  );
}

/** Returns a condition such as `name=GET /` as an option: `--name "GET /"`. */
export function optionText(condition: string): string {
  const [name = "", ...rest] = condition.split("=");
  const option = optionOf(name);
  if (option === undefined || rest.length === 0) return condition;
  const value = rest.join("=");
  return /^\S+$/.test(value) ? `${option} ${value}` : `${option} "${value}"`;
}

/**
 * Replaces pairs and names with underscores, which cannot be ordinary words. A name in braces is
 * part of a path.
 */
function withOptions(text: string): string {
  return text
    .replaceAll(/\b(\w+)=(\w+)/g, (pair, name: string, value: string) => {
      const option = optionOf(name);
      if (option === undefined) return pair;
      return value === "true" ? option : `${option} ${value}`;
    })
    .replaceAll(/(?<!\{)\b\w+_\w+\b/g, (name) => optionOf(name) ?? name);
}

/** Returns undefined for a parameter that has no option. */
function optionOf(parameter: string): string | undefined {
  const name = parameter.replaceAll("_", "-");
  const isParameter = isOptionName(name) && OPTIONS[name].isParameter === true;
  return isParameter ? `--${name}` : undefined;
}
