import type { ProblemProtocol } from "../../domain/problem-reason.ts";
import type { TimerClock } from "../../ports/clock.ts";
import type { ProblemLog } from "../../ports/logger.ts";
import { acceptsToken, type TokenList } from "./token-list.ts";

/** The headers of a request that may carry a token, and its sender. */
export interface Caller {
  readonly authorization: string | null | undefined;
  /** The value of `x-api-key`. */
  readonly apiKey: string | null | undefined;
  readonly address: string;
  readonly protocol: ProblemProtocol;
}

/** The answer to a request without a valid token. It is due after `delayMs`. */
export interface TokenRefusal {
  readonly message: string;
  /** The value of `WWW-Authenticate`. Source: RFC 6750, section 3. */
  readonly challenge: string;
  readonly delayMs: number;
}

/** The name of the header for clients that cannot set `Authorization`. */
export const API_KEY_HEADER = "x-api-key";

const NO_TOKEN = {
  message: `a token is required: send Authorization: Bearer TOKEN, or ${API_KEY_HEADER}: TOKEN`,
  challenge: "Bearer",
  detail: "without a token",
};

const WRONG_TOKEN = {
  message: "the token is not accepted",
  challenge: 'Bearer error="invalid_token"',
  detail: "with a token that is not accepted",
};

export interface TokenGateParts {
  readonly tokens: TokenList;
  readonly problems: Pick<ProblemLog, "note">;
  readonly clock: TimerClock;
}

/**
 * Lets requests with a valid token pass. Answers to others are delayed, longer with each failure
 * from their address, so that guessing is slow. Valid tokens are never delayed, because many
 * clients may share an address.
 */
export class TokenGate {
  // Fixed at construction.
  private readonly parts: TokenGateParts;
  private readonly failures: FailureTable;

  // Moved by `use`, `pause` and `close`.
  private tokens: TokenList;
  private readonly passed = new Set<string>();
  private changing = new AbortController();
  private readonly pauses = new Set<() => void>();
  private isClosed = false;

  constructor(parts: TokenGateParts) {
    this.parts = parts;
    this.tokens = parts.tokens;
    this.failures = new FailureTable(parts.clock);
  }

  use(tokens: TokenList): void {
    this.tokens = tokens;
    this.passed.clear();
    this.changing.abort();
    this.changing = new AbortController();
  }

  /** Aborts at the next change of the tokens, which may revoke that of an answer under way. */
  get changed(): AbortSignal {
    return this.changing.signal;
  }

  /** Returns the refusal of a request, and counts it; undefined if its token is valid. */
  refusalOf(caller: Caller): TokenRefusal | undefined {
    if (this.passed.has(caller.authorization ?? "")) return undefined;
    const given = tokensOf(caller);
    const valid = given.filter((token) => acceptsToken(this.tokens, token));
    if (valid.length === 0) return this.refuse(caller, given.length > 0);
    return void this.remember(caller, valid[0]!);
  }

  /** Resolves when a refusal is due; at once if as many others are pending. */
  async pause({ delayMs }: TokenRefusal, maxPauses = MAX_PAUSES): Promise<void> {
    if (delayMs === 0 || this.isClosed || this.pauses.size >= maxPauses) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.parts.clock.schedule(delayMs, resolve);
    this.pauses.add(resolve);
    await promise.finally(() => (this.pauses.delete(resolve), cancel()));
  }

  /** Ends the pending pauses, because a stop waits for all answers. */
  close(): void {
    this.isClosed = true;
    for (const end of this.pauses) end();
  }

  /** Remembers a header, because hashing its token takes a twentieth of a small request. */
  private remember({ authorization }: Caller, token: string): void {
    if (authorization?.endsWith(` ${token}`) !== true) return;
    if (this.passed.size === MAX_PASSED) this.passed.clear();
    this.passed.add(authorization);
  }

  private refuse({ address, protocol }: Caller, hasToken: boolean): TokenRefusal {
    const { detail, ...answer } = hasToken ? WRONG_TOKEN : NO_TOKEN;
    this.parts.problems.note({ protocol, reason: "unauthenticated", address, detail });
    return { ...answer, delayMs: this.failures.delayAfter(address) };
  }
}

/**
 * The limit of remembered headers, which differ by token and by the spelling of `Bearer`. Only
 * valid ones are remembered. A lookup compares the whole header with those of an equal hash, so it
 * does not show how much of a guess is right.
 */
export const MAX_PASSED = 1_000;

/** The limit of delayed answers for requests whose memory nothing else limits. */
export const MAX_PAUSES = 1_000;

/** Returns the tokens of both headers. A proxy may use `Authorization` for its own purposes. */
function tokensOf({ authorization, apiKey }: Caller): string[] {
  const bearer = /^bearer +([!-~]+)$/i.exec(authorization ?? "")?.[1];
  return [bearer ?? "", apiKey ?? ""].filter((token) => token !== "");
}

/** The failures of one address. */
interface Failures {
  count: number;
  lastMs: number;
}

/**
 * The number of failures of one address that are answered at once: a client often sends several as
 * it starts.
 */
export const FREE_FAILURES = 5;

const FIRST_DELAY_MS = 100;
/** Less than the 10 seconds that exporters wait by default, so that they see the answer. */
export const MAX_DELAY_MS = 8_000;

/** The time without a failure after which an address starts anew. */
export const FORGET_AFTER_MS = 60_000;

/** The limit of addresses; beyond it, the one that failed longest ago is forgotten. */
export const MAX_FAILED_ADDRESSES = 1_000;

/** Counts failures by address. The addresses are in the order of their last failure. */
class FailureTable {
  private readonly clock: TimerClock;
  private readonly byAddress = new Map<string, Failures>();

  constructor(clock: TimerClock) {
    this.clock = clock;
  }

  /** Counts a failure, and returns the delay of its answer. */
  delayAfter(address: string): number {
    const { count } = this.count(address);
    if (count <= FREE_FAILURES) return 0;
    return Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (count - FREE_FAILURES - 1));
  }

  private count(address: string): Failures {
    const lastMs = this.clock.monotonicMs();
    const failures = { count: this.recentCount(address, lastMs) + 1, lastMs };
    this.byAddress.delete(address);
    if (this.byAddress.size === MAX_FAILED_ADDRESSES) this.forgetOldest();
    return (this.byAddress.set(address, failures), failures);
  }

  private recentCount(address: string, nowMs: number): number {
    const failures = this.byAddress.get(address);
    if (failures === undefined || nowMs - failures.lastMs > FORGET_AFTER_MS) return 0;
    return failures.count;
  }

  private forgetOldest(): void {
    const [oldest] = this.byAddress.keys();
    this.byAddress.delete(oldest!);
  }
}
