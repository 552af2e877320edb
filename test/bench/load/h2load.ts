import { EXPORT_PATH } from "../../../src/adapters/otlp-grpc/export-services.ts";
import { CannotRunError } from "../bench-case.ts";
import { ownProcess } from "../own-processes.ts";

/** Enough streams to keep the server busy, but too few for the server to refuse any. */
const CONNECTIONS = 4;
const STREAMS_PER_CONNECTION = 8;

/** The protocol of a request. */
export interface LoadProtocol {
  readonly path: string;
  readonly isHttp1: boolean;
  readonly headers: readonly string[];
}

/** The body is one gRPC message, including its prefix. */
export const GRPC: LoadProtocol = {
  path: EXPORT_PATH,
  isHttp1: false,
  headers: ["content-type:application/grpc", "te:trailers"],
};

/** The body is the request itself. */
export function otlpHttp(version: "1.1" | "2", type: "x-protobuf" | "json"): LoadProtocol {
  const headers = [`content-type:application/${type}`];
  return { path: "/v1/traces", isHttp1: version === "1.1", headers };
}

export interface Load {
  readonly port: number;
  /** The protocol; gRPC by default. */
  readonly protocol?: LoadProtocol;
  /** Whether to use TLS; h2load accepts any certificate. */
  readonly isSecure?: boolean;
  readonly bodyFile: string;
  readonly requests: number;
  /** The encoding of the message in the file. */
  readonly encoding?: "gzip";
  /** The time limit of the load, after which it and the case are aborted. */
  readonly timeoutMs: number;
}

export interface LoadOutcome {
  readonly requests: number;
  /** Number of requests answered with a status of 2xx. */
  readonly succeeded: number;
  readonly requestsPerSecond: number;
}

/** Sends one request many times, from its own process. */
export async function sendLoad({
  port,
  protocol = GRPC,
  isSecure = false,
  bodyFile,
  requests,
  encoding,
  timeoutMs,
}: Load): Promise<LoadOutcome> {
  const child = Bun.spawn(
    [
      requireH2load(),
      `--requests=${requests}`,
      // At most as many connections as requests; h2load refuses more.
      `--clients=${Math.min(CONNECTIONS, requests)}`,
      `--max-concurrent-streams=${STREAMS_PER_CONNECTION}`,
      `--data=${bodyFile}`,
      ...(protocol.isHttp1 ? ["--h1"] : []),
      ...protocol.headers.map((header) => `--header=${header}`),
      ...(encoding === undefined ? [] : [`--header=grpc-encoding:${encoding}`]),
      `${isSecure ? "https" : "http"}://127.0.0.1:${port}${protocol.path}`,
    ],
    {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    },
  );
  ownProcess(child);
  const [text, exitCode] = await Promise.all([child.stdout.text(), child.exited]);
  if (exitCode !== 0) throw new CannotRunError(`h2load ended with ${exitCode}:\n${text}`);
  return readOutcome(text);
}

/** Returns the path of h2load, which a system package provides. */
export function requireH2load(): string {
  const path = Bun.which("h2load");
  if (path !== null) return path;
  const command =
    process.platform === "darwin" ? "brew install nghttp2" : "apt-get install nghttp2-client";
  throw new CannotRunError(`h2load is missing: ${command}`);
}

/**
 * Parses the output of h2load:
 *
 *   finished in 2.01s, 1234.56 req/s, 12.30MB/s
 *   requests: 2480 total, 2480 started, 2480 done, 2480 succeeded, 0 failed, 0 errored, 0 timeout
 */
export function readOutcome(text: string): LoadOutcome {
  const rate = /^finished in .*?, ([\d.]+) req\/s/m.exec(text);
  const counts = /^requests: (\d+) total, .* (\d+) succeeded,/m.exec(text);
  if (rate === null || counts === null)
    throw new CannotRunError(`unexpected output of h2load:\n${text}`);
  return {
    requests: Number(counts[1]),
    succeeded: Number(counts[2]),
    requestsPerSecond: Number(rate[1]),
  };
}
