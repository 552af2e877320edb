import { parseSync, Visitor } from "oxc-parser";
import type { CallExpression } from "oxc-parser";
import { lineAt, type RepositoryFile } from "./repository-files.ts";

/** A constant, or a delay limited for a timer. */
const SAFE = /^([A-Z][A-Z\d_]*|timerMs\([^]*\))$/;

/** The argument with the delay. `sleep` is the import of `node:timers/promises`. */
const DELAYS: Readonly<Record<string, number>> = { setTimeout: 1, setInterval: 1, sleep: 0 };

/**
 * Returns timers with unsafe delays: if negative or too long, the runtime prints a warning that is
 * not JSON.
 */
export function unsafeTimers(file: RepositoryFile): string[] {
  const found: string[] = [];
  const add = (node: CallExpression): void => {
    if (node.callee.type !== "Identifier") return;
    const { name } = node.callee;
    const delay = node.arguments[DELAYS[name] ?? node.arguments.length];
    if (delay === undefined) return;
    const text = file.text.slice(delay.start, delay.end);
    if (SAFE.test(text)) return;
    found.push(`${file.path}:${lineAt(file.text, node.start)} ${name} waits for ${text}`);
  };
  new Visitor({ CallExpression: add }).visit(parseSync(file.path, file.text).program);
  return found;
}
