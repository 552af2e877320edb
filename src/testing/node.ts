/**
 * `spanring/testing` for Node and Deno: starts the executable on free ports, and ends it with the
 * test. On Bun, `testing.ts` runs spanring in the test's process instead.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ON_FREE_PORTS } from "../config/config.ts";
import { executablePath } from "./executable-path.ts";
import { ringOverApi } from "./ring-over-api.ts";
import type { SpanringOptions, TestSpanring } from "./test-spanring.ts";

export { spanringMatchers } from "./matchers.ts";
export type * from "./test-spanring.ts";

/** Variables of the system that the executable needs; all others would change its behaviour. */
const SYSTEM_VARIABLES = ["PATH", "HOME", "TMPDIR", "TEMP", "SystemRoot"];

/**
 * Starts a receiver with all its listeners. Rejects if `options.env` has a mistake, or if the
 * executable is missing or cannot start.
 */
export async function startSpanring(options: SpanringOptions = {}): Promise<TestSpanring> {
  const inherited = SYSTEM_VARIABLES.map((name) => [name, process.env[name]] as const);
  // Test runners kill their workers, so no listener of this process would end the executable.
  const env = {
    ...Object.fromEntries(inherited),
    ...ON_FREE_PORTS,
    STDIN_END: "stop",
    ...options.env,
  };
  const child = spawn(executablePath(), [], { env, stdio: ["pipe", "ignore", "pipe"] });
  const exited = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
  const failing = new AbortController();
  const ports = await portsOf(child, failing);
  const urlOf = (listener: string) => `http://127.0.0.1:${ports.get(listener)}`;
  const endpoints = { grpc: urlOf("grpc"), http: urlOf("http"), api: urlOf("api") };
  const stop = async () => {
    child.ref();
    child.kill("SIGTERM");
    await exited;
  };
  return ringOverApi({ endpoints, failed: failing.signal, stop });
}

type Ports = ReadonlyMap<string, number>;

/**
 * Resolves with the ports once the log says that the receiver is ready. Rejects with what it has
 * printed if it ends before. Later, an error in the log or an exit aborts `failing`.
 */
async function portsOf(child: ChildProcess, failing: AbortController): Promise<Ports> {
  const ports = new Map<string, number>();
  const printed: string[] = [];
  const ready = await new Promise<Ports | Error>((resolve) => {
    const fail = (reason: Error) => {
      failing.abort(reason);
      resolve(reason);
    };
    child.once("error", (error) => fail(error));
    child.once("close", () => fail(new Error(endText(printed))));
    createInterface({ input: child.stderr! }).on("line", (line) => {
      const { level, event, ...fields } = parsedLine(line);
      if (event === "listening") ports.set(String(fields["listener"]), Number(fields["port"]));
      if (event === "ready") resolve(ports);
      if (level === "ERROR") failing.abort(new Error(failureText(event, fields)));
      if (level === undefined || level === "ERROR") printed.push(line);
    });
  });
  if (ready instanceof Error) throw ready;
  // The receiver must not keep a test's process running that forgets to stop it.
  child.unref();
  // Bun has no such method for the input, and does not wait for it.
  for (const pipe of [child.stdin, child.stderr]) (pipe as { unref?(): void } | null)?.unref?.();
  return ready;
}

function endText(printed: readonly string[]): string {
  return ["spanring has ended", ...printed].join("\n");
}

function failureText(event: unknown, fields: Record<string, unknown>): string {
  return `spanring has failed: ${String(event)} ${JSON.stringify(fields)}`;
}

/** Returns the fields of a line of the log; none if it is not JSON, such as a usage error. */
function parsedLine(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return {};
  }
}
