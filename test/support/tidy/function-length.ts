import { parseSync, Visitor } from "oxc-parser";
import type { ArrowFunctionExpression, Function as FunctionNode, Node, Span } from "oxc-parser";
import { lineAt } from "./repository-files.ts";
import type { RepositoryFile } from "./repository-files.ts";

export const MAX_METHOD_LINES = 5;
export const MAX_FUNCTION_LINES = 40;
/**
 * The limit of flat scan loops and `switch` statements, which are listed with a reason where the
 * rule is applied.
 */
export const MAX_LISTED_LINES = 60;

/** Functions that may be longer, as `path name`, with the reason. */
export type LongFunctions = Readonly<Record<string, string>>;

interface Found {
  readonly name: string;
  readonly isMethod: boolean;
  readonly lines: number;
  readonly at: number;
}

/** Returns a sentence for each function or method with a body that is too long. */
export function longFunctions(file: RepositoryFile, listed: LongFunctions): string[] {
  return functionsIn(file).flatMap(({ name, isMethod, lines, at }) => {
    const isListed = `${file.path} ${name}` in listed;
    const most = isMethod ? MAX_METHOD_LINES : isListed ? MAX_LISTED_LINES : MAX_FUNCTION_LINES;
    if (lines <= most) return [];
    return [
      `${file.path}:${lineAt(file.text, at)} ${name} has ${lines} lines of body, not ${most}`,
    ];
  });
}

type Callable = ArrowFunctionExpression | FunctionNode;

/** Returns all functions, including methods, accessors and static blocks of classes. */
export function functionsIn(file: RepositoryFile): Found[] {
  const parsed = parseSync(file.path, file.text);
  const found: Found[] = [];
  const methods = new Map<Node, string>();
  const names = new Map<Node, string>();
  const add = (node: Node, body: Span, name: string, isMethod: boolean): void => {
    const lines = linesOfBody(file.text, body, parsed.comments);
    found.push({ name, isMethod, lines, at: node.start });
  };
  const addCallable = (node: Callable): void => {
    const method = methods.get(node);
    const name = method ?? node.id?.name ?? names.get(node) ?? "(unnamed)";
    if (node.body !== null) add(node, node.body, name, method !== undefined);
  };
  new Visitor({
    MethodDefinition: (node) => void methods.set(node.value, keyText(file, node.key)),
    PropertyDefinition: (node) => {
      if (node.value !== null) methods.set(node.value, keyText(file, node.key));
    },
    StaticBlock: (node) => add(node, node, "static", true),
    VariableDeclarator: (node) => {
      if (node.init !== null) names.set(node.init, keyText(file, node.id));
    },
    Property: (node) => void names.set(node.value, keyText(file, node.key)),
    FunctionDeclaration: addCallable,
    FunctionExpression: addCallable,
    ArrowFunctionExpression: addCallable,
  }).visit(parsed.program);
  return found;
}

function keyText({ text }: RepositoryFile, { start, end }: Span): string {
  return text.slice(start, end);
}

/** Returns the number of lines between the braces, without blank lines and comments. */
function linesOfBody(text: string, { start, end }: Span, comments: readonly Span[]): number {
  let body = text.slice(start, end);
  for (const comment of comments) {
    if (comment.start < start || comment.end > end) continue;
    const [from, to] = [comment.start - start, comment.end - start];
    body = body.slice(0, from) + body.slice(from, to).replaceAll(/[^\n]/g, " ") + body.slice(to);
  }
  const inner = body.replace(/^static\s*/, "").replace(/^\{([\s\S]*)\}$/, "$1");
  return inner.split("\n").filter((line) => line.trim() !== "").length;
}
