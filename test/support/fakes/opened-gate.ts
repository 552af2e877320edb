import { TokenGate } from "../../../src/adapters/listening/token-gate.ts";
import { parseTokens, type TokenList } from "../../../src/adapters/listening/token-list.ts";
import type { Problem } from "../../../src/ports/logger.ts";
import { HandMovedClock } from "./hand-moved-clock.ts";

/** Returns the list of a file with these lines. */
export function tokenList(...lines: string[]): TokenList {
  const tokens = parseTokens(Buffer.from(lines.join("\n")));
  if ("bound" in tokens) throw new Error(tokens.bound);
  return tokens;
}

export interface OpenedGate {
  readonly gate: TokenGate;
  readonly clock: HandMovedClock;
  readonly problems: readonly Problem[];
}

/** Opens a gate that accepts these tokens; its delayed answers are due when the clock is moved. */
export function openedGate(...lines: string[]): OpenedGate {
  const clock = new HandMovedClock();
  const problems: Problem[] = [];
  const note = (problem: Problem) => void problems.push(problem);
  const gate = new TokenGate({ tokens: tokenList(...lines), problems: { note }, clock });
  return { gate, clock, problems };
}
