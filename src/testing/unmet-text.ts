/** A span of OTLP/JSON, as far as it is shown. */
interface NearSpan {
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name?: string;
}

/** The parts of the response to an expectation that is not met. */
interface UnmetProblem {
  readonly detail: string;
  readonly nearest?: unknown;
  readonly spans?: unknown;
}

interface NearMiss {
  readonly spanId: string;
  readonly name: string;
  readonly service: string;
  readonly count: number;
  readonly differences: readonly { readonly condition: string; readonly found: string }[];
}

interface OtlpRequest {
  readonly resourceSpans?: readonly {
    readonly scopeSpans?: readonly { readonly spans?: readonly NearSpan[] }[];
  }[];
}

/**
 * Returns what the nearest spans have instead, and the tree around the first. It is plain text
 * without a width, because test runners print it in their own way.
 *
 *     the expectation is not met; 0 spans were found
 *     nearest: GET /cart (shop)
 *       expected name='GET /orders'; found GET /cart
 *     → "GET /cart"
 *         "SELECT carts"
 */
export function unmetLines(problem: UnmetProblem): string[] {
  const nearest = (problem.nearest ?? []) as readonly NearMiss[];
  const request = (problem.spans ?? {}) as OtlpRequest;
  const spans = (request.resourceSpans ?? [])
    .flatMap(({ scopeSpans = [] }) => scopeSpans)
    .flatMap((scope) => scope.spans ?? []);
  return [problem.detail, ...nearest.flatMap(missLines), ...treeLines(spans, nearest[0]?.spanId)];
}

function missLines({ name, service, count, differences }: NearMiss): string[] {
  const more = count > 1 ? `, and ${count - 1} like it` : "";
  return [
    `nearest: ${name} (${service})${more}`,
    ...differences.map(({ condition, found }) => `  expected ${condition}; found ${found}`),
  ];
}

/** Draws each span once, below its parent if that is among them; a few spans at most. */
function treeLines(spans: readonly NearSpan[], markedId: string | undefined): string[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const isRoot = ({ parentSpanId = "" }: NearSpan) => !ids.has(parentSpanId);
  const drawn = new Set<NearSpan>();
  const lines: string[] = [];
  const draw = (span: NearSpan, depth: number): void => {
    if (drawn.has(span)) return;
    drawn.add(span);
    const mark = span.spanId === markedId ? "→ " : "  ";
    lines.push(`${mark}${"  ".repeat(depth)}${JSON.stringify(span.name ?? "")}`);
    for (const child of spans) if (child.parentSpanId === span.spanId) draw(child, depth + 1);
  };
  // Spans whose parents form a cycle have no root among them.
  for (const span of [...spans.filter(isRoot), ...spans]) draw(span, 0);
  return lines;
}
