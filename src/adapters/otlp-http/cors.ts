import type { ExtraHeaders } from "./answer-response.ts";

/** How long a browser need not ask again; Chrome takes no more. */
const MAX_AGE_SECONDS = 7200;

const METHODS = "POST";

/** When a browser asks for none, or for what no header can be called. */
const USUAL_HEADERS = "content-type, content-encoding";

/** Names of headers, and commas between. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~-]+(\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/;
const MAX_HEADERS_LENGTH = 1024;

/**
 * Lets pages of other origins send spans, as SDKs in browsers do. There is no log-in, and an answer
 * shows nothing of what is buffered, so credentials are allowed: some SDKs send with `sendBeacon`,
 * which insists on them, and then an origin must be named and not be `*`.
 *
 * Source: the Fetch standard, section 3.2, "CORS protocol".
 */
export class Cors {
  // Fixed at construction.
  private readonly origins: ReadonlySet<string>;

  /** `*` among them stands for any. */
  constructor(origins: readonly string[]) {
    this.origins = new Set(origins);
  }

  /** For every answer, also when it is not for this origin: caches must not mix them up. */
  headersFor(origin: string | null): ExtraHeaders {
    if (origin === null || !this.allows(origin)) return { Vary: "Origin" };
    return { ...grantTo(origin), "Access-Control-Expose-Headers": "Retry-After" };
  }

  /** The answer to a browser that asks before it sends; undefined when this is no such question. */
  preflight(request: Request): Response | undefined {
    if (!isPreflight(request)) return undefined;
    const headers = this.preflightHeaders(originOf(request), request.headers);
    return new Response(null, { status: 204, headers });
  }

  allows(origin: string): boolean {
    return this.origins.has("*") || this.origins.has(origin);
  }

  private preflightHeaders(origin: string, asked: Headers): ExtraHeaders {
    if (!this.allows(origin)) return { Vary: "Origin" };
    return { ...grantTo(origin), ...permissions(asked.get("access-control-request-headers")) };
  }
}

/** Whether a browser asks if a page may send. */
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

/** Any header may be sent: SDKs are configured with headers that are nothing to us. */
function permissions(askedHeaders: string | null): ExtraHeaders {
  const asked = askedHeaders ?? "";
  const isSensible = asked.length <= MAX_HEADERS_LENGTH && HEADER_NAMES.test(asked);
  return {
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Allow-Headers": isSensible ? asked : USUAL_HEADERS,
    "Access-Control-Max-Age": String(MAX_AGE_SECONDS),
  };
}
