import { ProtobufSpanCodec } from "../adapters/otlp/span-codec.ts";
import type { TraceSpan } from "../domain/trace-span.ts";

/** A query of the read API as pairs of name and value, in the order written. */
export type Query = readonly (readonly [string, string])[];

/** The parts of an error response that a failed test reports. */
export interface ApiProblem {
  readonly status: number;
  readonly detail: string;
  readonly found?: number;
  readonly nearest?: {
    readonly without: string;
    readonly count: number;
    readonly spans: {
      readonly resourceSpans?: readonly {
        readonly scopeSpans: readonly { readonly spans: readonly { readonly name: string }[] }[];
      }[];
    };
  };
}

export interface ListedProblem {
  readonly reason: string;
  readonly protocol: string;
  readonly count: number;
  readonly detail: string;
  readonly hint: string;
}

/** Thrown for an error response. */
export class ApiError extends Error {
  override name = "Error";
  readonly problem: ApiProblem;

  constructor(problem: ApiProblem) {
    super(problem.detail);
    this.problem = problem;
  }
}

const codec = new ProtobufSpanCodec();

/** Reads the API of a spanring that this test has started. */
export class ApiClient {
  private readonly url: string;
  private readonly ended: AbortSignal;

  constructor(url: string, ended: AbortSignal) {
    this.url = url;
    this.ended = ended;
  }

  async spans(path: string, query: Query): Promise<TraceSpan[]> {
    const response = await this.ask("GET", path, query);
    return codec.decode(new Uint8Array(await response.arrayBuffer()));
  }

  async problems(): Promise<readonly ListedProblem[]> {
    const response = await this.ask("GET", "/api/problems", []);
    return ((await response.json()) as { problems: readonly ListedProblem[] }).problems;
  }

  /** Returns the number of spans received since the start. */
  async received(): Promise<number> {
    const response = await this.ask("GET", "/api/stats", []);
    return ((await response.json()) as { spans: { received: number } }).spans.received;
  }

  async clear(): Promise<void> {
    await this.ask("DELETE", "/api/spans", []);
  }

  /** Rejects with the reason of the end if the server has ended. */
  private async ask(method: string, path: string, query: Query): Promise<Response> {
    this.ended.throwIfAborted();
    const response = await this.send(method, `${path}?${searchOf(query)}`);
    this.ended.throwIfAborted();
    if (response.ok) return response;
    throw new ApiError((await response.json()) as ApiProblem);
  }

  private async send(method: string, path: string): Promise<Response> {
    const headers = { Accept: "application/x-protobuf, application/json;q=0.5" };
    return await fetch(`${this.url}${path}`, { method, headers, signal: this.ended });
  }
}

function searchOf(query: Query): string {
  const pairs = query.map(([name, value]): [string, string] => [name, value]);
  return new URLSearchParams(pairs).toString();
}
