/**
 * The types of `spanring/testing`. This file imports nothing, because it is also shipped as the
 * declarations of the package.
 */

/**
 * Selects spans by the filters of the read API, as text by name. `attribute` is `key=value`.
 * Conditions on attributes may be lists, all of which must match.
 */
export interface SpanConditions {
  readonly service?: string;
  readonly text?: string;
  readonly name?: string;
  readonly name_contains?: string;
  readonly name_matches?: string;
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly links_to?: string;
  readonly kind?: string;
  readonly status?: string;
  readonly attribute?: string | readonly string[];
  readonly attribute_exists?: string | readonly string[];
  readonly attribute_matches?: string | readonly string[];
  readonly attribute_number?: string | readonly string[];
  readonly min_duration?: string;
  readonly max_duration?: string;
  readonly since?: string;
  readonly until?: string;
}

/** A value as JavaScript has it; integers beyond 2^53 are of type `bigint`. */
export type PlainValue =
  string | number | bigint | boolean | null | Uint8Array | readonly PlainValue[] | PlainAttributes;

/** Attributes by key; the last one counts if a key occurs twice. */
export interface PlainAttributes {
  readonly [key: string]: PlainValue;
}

export interface TestSpan {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** 16 hex digits; absent on a root span. */
  readonly parentSpanId?: string;
  readonly traceState: string;
  readonly name: string;
  /** SpanKind: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  readonly attributes: PlainAttributes;
  readonly events: readonly {
    readonly name: string;
    readonly timeUnixNano: bigint;
    readonly attributes: PlainAttributes;
  }[];
  readonly links: readonly {
    readonly traceId: string;
    readonly spanId: string;
    readonly attributes: PlainAttributes;
  }[];
  /** The code is 0 unset, 1 ok, 2 error. */
  readonly status: { readonly code: number; readonly message: string };
  readonly resource: { readonly attributes: PlainAttributes };
  readonly scope: { readonly name: string; readonly version: string };
}

export interface TestTrace {
  readonly traceId: string;
  /** In order of arrival. */
  readonly spans: readonly TestSpan[];
}

export interface WaitOptions {
  /** The number of spans to wait for; 1 by default. */
  readonly count?: number;
  /** The time limit; 4000 by default, which is below the limit of most test runners. */
  readonly timeoutMs?: number;
}

/**
 * A running spanring. If spanring itself fails, spans sent to it may be missing, so all methods
 * then reject with the reason. They also reject after `stop`.
 */
export interface TestSpanring {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT` and the exporters' `url`: base URLs, without a path. */
  readonly endpoints: { readonly grpc: string; readonly http: string; readonly api: string };
  /**
   * Resolves with the matching spans as soon as there are enough, counted from the start or the
   * last `clear`. Rejects if the time is up, and reports the spans found, near misses and the
   * requests refused; and if a condition is invalid.
   */
  waitFor(conditions: SpanConditions, options?: WaitOptions): Promise<TestSpan[]>;
  /**
   * Checks an expectation as `spanring run --expect` does, such as `name=SELECT* under kind=server`
   * or `no error anywhere`; `spanring help expectations` describes the language. Waits for missing
   * spans, and resolves with the newest thousand of the spans found, oldest first. Rejects if the
   * expectation is not met, and reports what the nearest spans have instead; if spans were refused
   * or discarded that might have broken it; and if it has a mistake. Flush the exporter before you
   * expect that spans are absent.
   */
  expect(expectation: string, options?: Pick<WaitOptions, "timeoutMs">): Promise<TestSpan[]>;
  /**
   * Resolves with all spans of a trace that has a matching span, has its root, and has at least
   * `count` spans.
   */
  waitForTrace(conditions: SpanConditions, options?: WaitOptions): Promise<TestTrace>;
  /** Returns the matching spans in order of arrival; all spans if there are no conditions. */
  spans(conditions?: SpanConditions): Promise<TestSpan[]>;
  /** Returns the traces of the matching spans, with these spans only. */
  traces(conditions?: SpanConditions): Promise<TestTrace[]>;
  /**
   * Rejects if a span matches, and if spans were refused or discarded that might have matched. It
   * does not wait: flush the exporter first.
   */
  expectNone(conditions?: SpanConditions): Promise<void>;
  /** Removes all spans and problems recorded so far. */
  clear(): Promise<void>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface SpanringOptions {
  /** Variables such as `MAX_BUFFER_SIZE`. Ports that are not set are free ports. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What a matcher reports to the test runner. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/** For `expect.extend` of Vitest, Jest and `bun:test`. */
export interface SpanringMatchers {
  /**
   * Waits for matching spans, as `waitFor` does. With `.not`, checks the spans that have arrived,
   * as `expectNone` does.
   */
  toHaveSpan(
    this: { readonly isNot?: boolean },
    ring: unknown,
    conditions: SpanConditions,
    options?: WaitOptions,
  ): Promise<MatcherResult>;
}
