import { existsSync } from "node:fs";
import { join, resolve as resolvePath } from "node:path";
import type { Environment } from "../../../src/config/config.ts";

const ROOT = join(import.meta.dir, "../../..");

/** `SPANRING_PROGRAM=src/main.ts bun test` avoids the build during development. */
const PROGRAM = resolvePath(ROOT, process.env["SPANRING_PROGRAM"] ?? "dist/spanring");
/** The command of the program, followed by its arguments. */
export const COMMAND: readonly string[] = PROGRAM.endsWith(".ts")
  ? [process.execPath, PROGRAM]
  : [PROGRAM];

/** A line of the log. */
export interface LogLine {
  readonly time: string;
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The running program. It is killed if it still runs when this is disposed of. */
export interface RunningProgram extends AsyncDisposable {
  readonly pid: number;
  readonly grpcPort: number;
  /** The URL for OTLP/gRPC exporters. */
  readonly grpcUrl: string;
  readonly httpPort: number;
  /** The URL of OTLP/HTTP, without a trailing slash. */
  readonly httpUrl: string;
  /** The URL of the read API, without a trailing slash. */
  readonly apiUrl: string;
  /** Resolves to the first line of this event, even one written before the call. */
  logged(event: string): Promise<LogLine>;
  /** Returns all lines so far; after the end of the program, all its lines. */
  log(): readonly LogLine[];
  signal(name: "SIGTERM" | "SIGINT"): void;
  /** Resolves to the exit code when the program has ended and its log has been read. */
  readonly exited: Promise<number>;
  /** Sends SIGTERM, and resolves to the exit code. */
  stop(): Promise<number>;
}

/** Runs the program to its end. */
export async function runProgram(
  argv: string[],
  env: Environment = {},
  options: SpawnOptions = {},
): Promise<Finished> {
  const child = spawn(argv, env, options);
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

/** Starts the program on free ports of the loopback address; resolves when it is ready. */
export async function startProgram(
  env: Environment = {},
  options: SpawnOptions = {},
): Promise<RunningProgram> {
  const child = spawn([], { ...FREE_PORTS, ...env }, options);
  try {
    const log = readLog(child.stderr);
    await log.first(({ event }) => event === "ready");
    const [grpcPort, httpPort, apiPort] = ["grpc", "http", "api"].map((listener) =>
      portOf(log.lines, listener),
    ) as [number, number, number];
    const exited = Promise.all([child.exited, log.ended]).then(([exitCode]) => exitCode);
    const stop = () => {
      child.kill("SIGTERM");
      return exited;
    };
    return {
      pid: child.pid,
      grpcPort,
      grpcUrl: `http://127.0.0.1:${grpcPort}`,
      httpPort,
      httpUrl: `http://127.0.0.1:${httpPort}`,
      apiUrl: `http://127.0.0.1:${apiPort}`,
      logged: (event) => log.first((line) => line.event === event),
      log: () => log.lines,
      signal: (name) => child.kill(name),
      exited,
      stop,
      [Symbol.asyncDispose]: () => kill(child),
    };
  } catch (error) {
    await kill(child);
    throw error;
  }
}

export const FREE_PORTS: Environment = {
  OTLP_GRPC_HOST: "127.0.0.1",
  OTLP_GRPC_PORT: "0",
  OTLP_HTTP_HOST: "127.0.0.1",
  OTLP_HTTP_PORT: "0",
  API_HOST: "127.0.0.1",
  API_PORT: "0",
};

interface SpawnOptions {
  /** Whether to run it in its own session, without a terminal. */
  readonly detached?: boolean;
  /** The limit of open files; by default, the limit of the machine. */
  readonly maxOpenFiles?: number;
  /** A command that runs the program, which replaces it in the same process. */
  readonly launcher?: readonly string[];
}

/** Starts the program with none of the environment of this process. */
function spawn(
  argv: readonly string[],
  env: Environment,
  { detached = false, maxOpenFiles, launcher = [] }: SpawnOptions = {},
) {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: bun run build`);
  const limit = `ulimit -n ${maxOpenFiles} && exec "$@"`;
  const limited = maxOpenFiles === undefined ? [] : ["sh", "-c", limit, "sh"];
  return Bun.spawn([...limited, ...launcher, ...COMMAND, ...argv], {
    env: { ...env },
    detached,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function kill(child: Bun.Subprocess): Promise<void> {
  if (child.exitCode === null) child.kill("SIGKILL");
  await child.exited;
}

export function portOf(lines: readonly LogLine[], listener: string): number {
  const line = lines.find(({ event, ...fields }) => {
    return event === "listening" && fields["listener"] === listener;
  });
  return Number(line?.["port"]);
}

interface Waiter {
  readonly isWanted: (line: LogLine) => boolean;
  readonly resolve: (line: LogLine) => void;
  readonly reject: (error: Error) => void;
}

export interface ReadLog {
  /** All lines so far. */
  readonly lines: readonly LogLine[];
  readonly ended: Promise<void>;
  /** Resolves to the first matching line, even one written before the call. */
  first(isWanted: Waiter["isWanted"]): Promise<LogLine>;
}

/**
 * Reads a log as it is written. A wait for a line that never arrives fails with all other lines.
 */
export function readLog(stderr: ReadableStream<Uint8Array>): ReadLog {
  const lines: LogLine[] = [];
  const waiters = new Set<Waiter>();
  const ended = readLines(stderr, (text) => {
    const line = parseLine(text);
    lines.push(line);
    for (const waiter of waiters) {
      if (!waiter.isWanted(line)) continue;
      waiters.delete(waiter);
      waiter.resolve(line);
    }
  }).finally(() => {
    const text = lines.map((line) => JSON.stringify(line)).join("\n");
    for (const waiter of waiters) waiter.reject(new Error(`not in the log:\n${text}`));
  });
  const first = async (isWanted: Waiter["isWanted"]): Promise<LogLine> => {
    const line = lines.find(isWanted);
    if (line !== undefined) return line;
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    waiters.add({ isWanted, resolve, reject });
    return await promise;
  };
  return { lines, ended, first };
}

/** Parses a line. The output of a crash is not JSON, but must be visible too. */
function parseLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { time: "", level: "", event: "not JSON", text };
  }
}

async function readLines(
  stream: ReadableStream<Uint8Array>,
  take: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const texts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = texts.pop() ?? "";
    for (const text of texts) take(text);
  }
  if (rest !== "") take(rest);
}
