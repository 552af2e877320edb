import type { ExtraHeaders } from "./answer-response.ts";

/** How long a browser may cache a preflight; Chrome accepts no more. */
const MAX_AGE_SECONDS = 7200;

const METHODS = "POST";

/** The allowed headers if a browser requests none, or invalid ones. */
const USUAL_HEADERS = "content-type, content-encoding";

/** Matches header names, separated by commas. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~-]+(\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/;
const MAX_HEADERS_LENGTH = 1024;

/**
 * Lets pages of other origins send spans, as browser SDKs do. The receiver has no login, and its
 * answers show nothing of the buffer, so credentials are allowed: some SDKs use `sendBeacon`, which
 * always sends credentials and requires that the answer names the origin instead of `*`.
 *
 * Source: the Fetch standard, section 3.2, "CORS protocol".
 */
export class Cors {
  // Fixed at construction.
  private readonly origins: ReadonlySet<string>;

  /** `*` allows any origin. */
  constructor(origins: readonly string[]) {
    this.origins = new Set(origins);
  }

  /**
   * Returns the headers of every answer, including those to other origins: caches must not mix them
   * up.
   */
  headersFor(origin: string | null): ExtraHeaders {
    if (origin === null || !this.allows(origin)) return { Vary: "Origin" };
    return { ...grantTo(origin), "Access-Control-Expose-Headers": "Retry-After" };
  }

  /** Returns the answer to a preflight; undefined for any other request. */
  preflight(request: Request): Response | undefined {
    if (!isPreflight(request)) return undefined;
    const headers = this.preflightHeaders(originOf(request), request.headers);
    return new Response(null, { status: 204, headers });
  }

  allows(origin: string): boolean {
    return this.origins.has("*") || this.origins.has(origin);
  }

  private preflightHeaders(origin: string, requested: Headers): ExtraHeaders {
    if (!this.allows(origin)) return { Vary: "Origin" };
    return { ...grantTo(origin), ...permissions(requested.get("access-control-request-headers")) };
  }
}

/** Reports whether a browser asks for permission before it sends. */
export function isPreflight({ method, headers }: Request): boolean {
  const isAsking = method === "OPTIONS" && headers.has("access-control-request-method");
  return isAsking && headers.has("origin");
}

export function originOf({ headers }: Request): string {
  return headers.get("origin") ?? "";
}

function grantTo(origin: string): ExtraHeaders {
  return {
    "Access-Control-Allow-Origin": origin,
    "Access-Control-Allow-Credentials": "true",
    Vary: "Origin",
  };
}

/** Allows every header: SDKs are configured with headers that we ignore. */
function permissions(requestedHeaders: string | null): ExtraHeaders {
  const requested = requestedHeaders ?? "";
  const isSensible = requested.length <= MAX_HEADERS_LENGTH && HEADER_NAMES.test(requested);
  return {
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Allow-Headers": isSensible ? requested : USUAL_HEADERS,
    "Access-Control-Max-Age": String(MAX_AGE_SECONDS),
  };
}
