import type { BenchRun } from "../bench-case.ts";
import { CannotRunError } from "../bench-case.ts";
import { cpuSeconds } from "../servers/process-figures.ts";
import type { Subject } from "../servers/subject.ts";
import { type LoadProtocol, sendLoad } from "./h2load.ts";

/** A server and its load. */
export interface Contender {
  readonly subject: Subject;
  readonly port: number;
  /** The protocol; gRPC by default. */
  readonly protocol?: LoadProtocol;
  /** Whether to use TLS. */
  readonly isSecure?: boolean;
  readonly bodyFile: string;
  readonly spanCount: number;
  /** A resource that exists during each of its turns. */
  readonly beside?: () => Promise<AsyncDisposable>;
  /**
   * A condition that must be met before a turn ends. The rate then covers everything from the first
   * request on.
   */
  readonly toTheEnd?: () => Promise<void>;
}

/** The result of one run of load on one contender. */
export interface Turn {
  readonly spansPerSecond: number;
  /** Null if the system does not report it. */
  readonly cpuNsPerSpan: number | null;
}

/** Returns the turns of each contender, taken one after the other while all servers run. */
export async function takeTurns(
  contenders: readonly Contender[],
  what: string,
  { rounds, isShort, progress }: BenchRun,
): Promise<Turn[][]> {
  const turnSeconds = isShort ? 1 : 3;
  progress(`${what}, warming up`);
  const requests: number[] = [];
  for (const contender of contenders) {
    requests.push(Math.ceil(turnSeconds * (await warmUp(contender))));
  }
  const turns: Turn[][] = contenders.map(() => []);
  for (let round = 1; round <= rounds; round += 1) {
    progress(`${what}, round ${round} of ${rounds}`);
    for (const [at, contender] of contenders.entries()) {
      turns[at]!.push(await oneTurn(contender, requests[at]!));
    }
  }
  return turns;
}

/** Seconds of load before the measurement, in which code is compiled. */
const WARM_UP_SECONDS = 1;
const FIRST_SPANS = 50_000;
const TURN_TIMEOUT_MS = 60_000;

/** Returns the requests per second once warm. */
async function warmUp(contender: Contender): Promise<number> {
  const first = Math.ceil(FIRST_SPANS / (contender.spanCount + 9));
  const cold = await checkedLoad(contender, first);
  return await checkedLoad(contender, Math.ceil(cold * WARM_UP_SECONDS));
}

async function oneTurn(contender: Contender, requests: number): Promise<Turn> {
  const { subject, spanCount } = contender;
  const before = cpuSeconds(subject.pid);
  const requestsPerSecond = await checkedLoad(contender, requests);
  const after = cpuSeconds(subject.pid);
  const spans = requests * spanCount;
  return {
    spansPerSecond: requestsPerSecond * spanCount,
    cpuNsPerSpan: before === null || after === null ? null : ((after - before) * 1e9) / spans,
  };
}

/**
 * Returns the requests per second, all of which must have succeeded, by the count of the server as
 * well.
 */
async function checkedLoad(contender: Contender, requests: number): Promise<number> {
  const { subject, spanCount, beside, toTheEnd, ...load } = contender;
  await using _ = await beside?.();
  const before = await subject.answered();
  const beganMs = performance.now();
  const outcome = await sendLoad({ ...load, requests, timeoutMs: TURN_TIMEOUT_MS });
  await toTheEnd?.();
  const seconds = (performance.now() - beganMs) / 1000;
  const after = await subject.answered();
  expectSame(subject, "requests that h2load saw succeed", outcome.succeeded, requests);
  if (after.requests !== undefined)
    expectSame(subject, "requests answered", after.requests - (before.requests ?? 0), requests);
  if (after.spans !== undefined)
    expectSame(subject, "spans kept", after.spans - (before.spans ?? 0), requests * spanCount);
  return toTheEnd === undefined ? outcome.requestsPerSecond : requests / seconds;
}

function expectSame({ name }: Subject, what: string, found: number, expected: number): void {
  if (found !== expected) throw new CannotRunError(`${name}: ${found} ${what}, not ${expected}`);
}

export function rates(turns: readonly Turn[]): number[] {
  return turns.map(({ spansPerSecond }) => spansPerSecond);
}

export function costs(turns: readonly Turn[]): number[] {
  return turns.flatMap(({ cpuNsPerSpan }) => cpuNsPerSpan ?? []);
}
