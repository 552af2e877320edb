import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../src/config/config.ts";
import { assertLedgerBalances, type BufferStats } from "../../src/domain/ledger.ts";
import { ownProcess } from "../bench/own-processes.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { type RunningProgram, startProgram } from "../support/running/running-program.ts";
import type { Attack, Ports } from "./attack-case.ts";
import type { Received } from "./attacker-process.ts";
import { startAttacker } from "./attacker-process.ts";
import { startBlockProbe } from "./block-probe.ts";
import { LANE_TOKEN, Lanes } from "./lanes.ts";
import { MemoryWatch, residentBytesOf } from "./measure.ts";
import type { Outcome } from "./requirements.ts";
import { paddedRequest } from "./wire/payloads.ts";

export interface AttackRun {
  readonly seconds: number;
  /** Whether to use fewer connections and smaller requests, for the tests. */
  readonly isShort: boolean;
  /** The time after which an unanswered request is lost. */
  readonly lostAfterMs: number;
}

/** A row of the results. */
export interface Row {
  readonly name: string;
  readonly expected: Attack["expected"];
  readonly outcome: Outcome;
  readonly received: Received;
}

/** The time after SIGTERM at which a process is killed. */
const STOP_WAIT_MS = { full: 30_000, short: 8_000 };

/** Starts the receiver, attacks it while well-behaved clients use it, and measures. */
export async function runAttack(attack: Attack, run: AttackRun): Promise<Row> {
  using upstream = startUpstream(attack.upstream);
  using tokens = tokensFor(attack);
  const { maxOpenFiles } = attack;
  const grace: Environment = run.isShort ? { SHUTDOWN_GRACE_MS: "1000" } : {};
  await using program = await startProgram(
    { ...grace, ...attack.environment, ...upstream.environment, ...tokens.environment },
    maxOpenFiles === undefined ? {} : { maxOpenFiles },
  );
  ownProcess(program);
  const ports = portsOf(program);
  const idleBytes = residentBytesOf(program.pid) ?? 0;
  await fill(attack, program);
  const lanes = await Lanes.open(ports, run.lostAfterMs);
  const memory = new MemoryWatch(program.pid);
  await using probe = startBlockProbe(program.pid, ports.api);
  lanes.start();
  // An attack that continues during the shutdown ends with it.
  const stopWaitMs = run.isShort ? STOP_WAIT_MS.short : STOP_WAIT_MS.full;
  const seconds = run.seconds + (attack.stops === true ? stopWaitMs / 1000 : 0);
  await using attacker = startAttacker(attack.name, { ports, seconds, isShort: run.isShort });
  if (attack.stops === true) await Bun.sleep(run.seconds * 1000);
  else await attacker.received;
  const figures = await lanes.finish();
  const longestBlockMs = await probe.stop();
  const isAlive = isRunning(program.pid);
  const isBalanced = attack.stops === true || (isAlive && (await hasBalance(program)));
  const stopMs = attack.stops === true ? await stopTime(program, stopWaitMs) : null;
  attacker.stop();
  const outcome = { idleBytes, peakBytes: memory.stop(), lanes: figures, longestBlockMs, stopMs };
  return {
    name: attack.name,
    expected: attack.expected,
    outcome: { ...outcome, isAlive, isBalanced },
    received: await attacker.received,
  };
}

export function portsOf({ grpcPort, httpPort, apiUrl }: RunningProgram): Ports {
  return { grpc: grpcPort, http: httpPort, api: Number(new URL(apiUrl).port) };
}

const FULL_RING = { requests: 5, spans: 2_000, bytes: 6_500 };
const BACKLOG = { requests: 15, spans: 20_000, bytes: 150 };

async function fill(attack: Attack, { httpUrl }: RunningProgram): Promise<void> {
  if (attack.fillsRing !== true && attack.upstream === undefined) return;
  const { requests, spans, bytes } = attack.upstream === undefined ? FULL_RING : BACKLOG;
  const request = paddedRequest(spans, bytes);
  for (let sent = 0; sent < requests; sent += 1) await exportOverHttp(httpUrl, request);
}

/** Slow enough that a backlog is left at the shutdown. */
const UPSTREAM_DELAY_MS = 4_000;

/** Something that the receiver needs for one attack, and the variables that name it. */
interface Surrounding extends Disposable {
  readonly environment: Readonly<Record<string, string>>;
}

function startUpstream(kind: Attack["upstream"]): Surrounding {
  if (kind === undefined) return { environment: {}, [Symbol.dispose]: () => {} };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: async (request) => {
      await request.bytes();
      if (kind === "hangs") return await new Promise<never>(() => {});
      await Bun.sleep(UPSTREAM_DELAY_MS);
      return new Response("", { status: kind === "refuses" ? 400 : 200 });
    },
  });
  return {
    environment: { FORWARD_ENDPOINT: server.url.href },
    [Symbol.dispose]: () => void server.stop(true),
  };
}

/** Writes the file with the token of the well-behaved clients, if the receiver requires it. */
function tokensFor({ requiresToken }: Attack): Surrounding {
  if (requiresToken !== true) return { environment: {}, [Symbol.dispose]: () => {} };
  const folder = mkdtempSync(join(tmpdir(), "spanring-attack-"));
  const path = join(folder, "tokens");
  writeFileSync(path, `${LANE_TOKEN}\n`, { mode: 0o600 });
  return {
    environment: { OTLP_AUTH_TOKENS_FILE: path },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

function isRunning(pid: number): boolean {
  return (residentBytesOf(pid) ?? 0) > 0;
}

/** The time within which the read API must answer again, because its listener may be paused. */
const MAX_RECOVERY_MS = 20_000;
const RECOVERY_POLL_MS = 100;

export async function hasBalance({ apiUrl }: RunningProgram): Promise<boolean> {
  const stats = await statsAfterRecovery(apiUrl);
  if (stats === undefined) return false;
  try {
    assertLedgerBalances(stats.spans);
    assertLedgerBalances(stats.bytes);
    return true;
  } catch {
    return false;
  }
}

async function statsAfterRecovery(apiUrl: string): Promise<BufferStats | undefined> {
  const endMs = performance.now() + MAX_RECOVERY_MS;
  while (performance.now() < endMs) {
    const stats = await readApiClient(apiUrl)
      .stats()
      .catch(() => undefined);
    if (stats !== undefined) return stats;
    await Bun.sleep(RECOVERY_POLL_MS);
  }
  return undefined;
}

async function stopTime(program: RunningProgram, limitMs: number): Promise<number> {
  const startMs = performance.now();
  const timer = setTimeout(() => process.kill(program.pid, "SIGKILL"), limitMs);
  await program.stop();
  clearTimeout(timer);
  return performance.now() - startMs;
}
