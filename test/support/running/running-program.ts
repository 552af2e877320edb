import { existsSync } from "node:fs";
import { join, resolve as resolvePath } from "node:path";
import type { Environment } from "../../../src/config/config.ts";

const ROOT = join(import.meta.dir, "../../..");

/** `SPANRING_PROGRAM=src/main.ts bun test` saves the build while the program is being worked on. */
const PROGRAM = resolvePath(ROOT, process.env["SPANRING_PROGRAM"] ?? "dist/spanring");
/** What starts the program, to be followed by its arguments. */
export const COMMAND: readonly string[] = PROGRAM.endsWith(".ts")
  ? [process.execPath, PROGRAM]
  : [PROGRAM];

/** One line of the program's log. */
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

/** The program, listening. It is killed when it goes out of scope and still runs. */
export interface RunningProgram extends AsyncDisposable {
  readonly pid: number;
  readonly grpcPort: number;
  /** Where the OTLP exporter sends to. */
  readonly grpcUrl: string;
  readonly httpPort: number;
  /** Where OTLP/HTTP is; without a slash at the end. */
  readonly httpUrl: string;
  /** Where the read API is; without a slash at the end. */
  readonly apiUrl: string;
  /** Resolves with the first line of this event, also one that was written before the call. */
  logged(event: string): Promise<LogLine>;
  /** Every line so far; after the program's end, every line there was. */
  log(): readonly LogLine[];
  signal(name: "SIGTERM" | "SIGINT"): void;
  /** Resolves when the program has ended and its log is read. */
  readonly exited: Promise<number>;
  /** SIGTERM, and then the exit code. */
  stop(): Promise<number>;
}

/** Runs the program to its end. */
export async function runProgram(argv: string[], env: Environment = {}): Promise<Finished> {
  const child = spawn(argv, env);
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

/**
 * Starts the program on free ports of the loopback address; resolves when it is ready.
 */
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
  /** In a session of its own, without a terminal. */
  readonly detached?: boolean;
  /** As many as the machine allows when not given. */
  readonly maxOpenFiles?: number;
}

/** Nothing of this process's environment reaches the program. */
function spawn(
  argv: readonly string[],
  env: Environment,
  { detached = false, maxOpenFiles }: SpawnOptions = {},
) {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: bun run build`);
  const limit = `ulimit -n ${maxOpenFiles} && exec "$@"`;
  const limited = maxOpenFiles === undefined ? [] : ["sh", "-c", limit, "sh"];
  return Bun.spawn([...limited, ...COMMAND, ...argv], {
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
  /** Every line so far. */
  readonly lines: readonly LogLine[];
  readonly ended: Promise<void>;
  /** Resolves with the first such line, also one that was written before the call. */
  first(isWanted: Waiter["isWanted"]): Promise<LogLine>;
}

/** Reads a log as it is written. Who waits for a line that never came learns what there was. */
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

/** What a crash prints is no JSON, and must be seen too. */
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
