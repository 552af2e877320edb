import { readFileSync, statSync } from "node:fs";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { systemErrorText } from "../../../domain/text/system-error.ts";

const MAX_FILE_BYTES = 1024 * 1024;
const MAX_EXPECTATIONS = 1_000;

/** The texts of the expectations in a file, or the mistake in the file. */
export type ExpectationTexts = { readonly texts: readonly string[] } | { readonly mistake: string };

/**
 * Reads a file of expectations, YAML or JSON: a list of texts, or an object with such a list.
 *
 *     # The checks of a checkout.
 *     expectations:
 *       - name=SELECT* under name='GET /orders' & count=1..5
 *       - no error anywhere
 */
export function readExpectationFile(path: string): ExpectationTexts {
  const shown = quotePeerText(path);
  try {
    if (statSync(path).size > MAX_FILE_BYTES) {
      return { mistake: `${shown}: larger than ${MAX_FILE_BYTES} bytes; split it` };
    }
    return textsIn(parsedText(readFileSync(path, "utf8")), shown);
  } catch (error) {
    const reason = error instanceof SyntaxError ? quotePeerText(error.message) : undefined;
    return { mistake: `${shown}: ${reason ?? systemErrorText(error)}` };
  }
}

/** Parses JSON, which may be indented by tabs, as JSON, and everything else as YAML. */
function parsedText(text: string): unknown {
  return /^\s*[[{]/.test(text) ? JSON.parse(text) : Bun.YAML.parse(text);
}

const FORM = 'must be a list of expectations, such as "- name=GET /orders & count=1"';

function textsIn(content: unknown, shown: string): ExpectationTexts {
  const list = isObject(content) ? content["expectations"] : content;
  const unknown = isObject(content) ? Object.keys(content).filter(isUnknown) : [];
  if (unknown.length > 0) {
    return { mistake: `${shown}: unknown key "${quotePeerText(unknown[0]!)}"; known: ${LIST_KEY}` };
  }
  if (!Array.isArray(list)) return { mistake: `${shown}: ${FORM}` };
  // A file without expectations would pass any test.
  if (list.length === 0) return { mistake: `${shown}: has no expectation; it ${FORM}` };
  if (list.length > MAX_EXPECTATIONS) {
    return { mistake: `${shown}: has more than ${MAX_EXPECTATIONS} expectations; split it` };
  }
  const wrong = list.findIndex((item) => typeof item !== "string");
  if (wrong >= 0) return { mistake: `${shown}: expectation ${wrong + 1} ${NOT_TEXT}` };
  return { texts: list as string[] };
}

const LIST_KEY = "expectations";
const NOT_TEXT = 'is not a text; if it contains ": " or " #", put it in quotes';

function isUnknown(key: string): boolean {
  return key !== LIST_KEY;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
