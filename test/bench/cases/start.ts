import { connect } from "node:http2";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { EXPORT_PATH } from "../../../src/adapters/otlp-grpc/export-services.ts";
import { buildBinary } from "../../../scripts/build.ts";
import type { Environment } from "../../../src/config/config.ts";
import { grpcMessage } from "../../support/grpc/grpc-wire.ts";
import { type BenchCase, CannotRunError } from "../bench-case.ts";
import type { Figure } from "../figure.ts";
import { ownProcess } from "../own-processes.ts";
import { serverRequestShape } from "../request-corpus.ts";
import { workFolder } from "../work-folder.ts";

const BINARY = join(import.meta.dir, "../../../dist/spanring");
const EMPTY = join(import.meta.dir, "../servers/empty-program.ts");

/** More than in other cases, because a start is short, and the first one after a pause is slow. */
const STARTS_PER_ROUND = 4;
const STARTS_LEFT_OUT = 2;

const PATIENCE_MS = 10_000;

/** Measures how long an edge host is without its buffer when the process is replaced. */
export const start: BenchCase = {
  name: "start",
  shows: "the time from the start of the binary to an accepted span, next to an empty Bun program",
  run: async ({ rounds, isShort, progress }) => {
    if (!existsSync(BINARY)) throw new CannotRunError(`${BINARY} is not built: bun run build`);
    const starts = STARTS_LEFT_OUT + rounds * (isShort ? 1 : STARTS_PER_ROUND);
    progress(`start: ${starts} times, in turns with an empty program`);
    const empty = await buildBinary({ entrypoint: EMPTY, outfile: join(workFolder(), "empty") });
    const all: StartTimes[] = [];
    while (all.length < starts) all.push(await timeStarts(empty));
    return figures(all.slice(STARTS_LEFT_OUT));
  },
};

function figures(times: readonly StartTimes[]): Figure[] {
  const common = {
    unit: "ms",
    better: "lower",
    reference: { name: "empty program", samples: times.map(({ emptyMs }) => emptyMs) },
  } as const;
  return [
    {
      ...common,
      name: "to the listening line",
      samples: times.map(({ listeningMs }) => listeningMs),
    },
    {
      ...common,
      name: "to the first accepted span",
      samples: times.map(({ acceptedMs }) => acceptedMs),
      goal: { of: "median", is: "<", bound: 60 },
    },
    {
      name: "to the first accepted span, Kafka",
      unit: "ms",
      better: "lower",
      samples: times.map(({ kafkaMs }) => kafkaMs),
      reference: { name: "without", samples: times.map(({ acceptedMs }) => acceptedMs) },
    },
  ];
}

interface StartTimes {
  readonly emptyMs: number;
  readonly listeningMs: number;
  readonly acceptedMs: number;
  /** Like `acceptedMs`, with an endpoint of Kafka, whose client takes long to load. */
  readonly kafkaMs: number;
}

const KAFKA: Environment = { FORWARD_ENDPOINT: "kafka://127.0.0.1:1/spans" };

/**
 * Measures from before each process exists. The client is this process, which waits only for a
 * line.
 */
async function timeStarts(empty: string): Promise<StartTimes> {
  const emptyMs = await withProcess(empty, async (child, elapsedMs) => {
    await child.stderr.getReader().read();
    return elapsedMs();
  });
  const { acceptedMs: kafkaMs } = await timeStart(KAFKA);
  return { emptyMs, ...(await timeStart()), kafkaMs };
}

async function timeStart(env: Environment = {}) {
  return await withProcess(BINARY, watchStart, env);
}

async function watchStart(child: Child, elapsedMs: () => number) {
  const port = await grpcPort(child.stderr);
  const listeningMs = elapsedMs();
  await exportOneSpan(port);
  return { listeningMs, acceptedMs: elapsedMs() };
}

type Child = Bun.Subprocess<"ignore", "ignore", "pipe">;

const LOOPBACK: Environment = {
  OTLP_GRPC_HOST: "127.0.0.1",
  OTLP_GRPC_PORT: "0",
  OTLP_HTTP_PORT: "0",
  API_PORT: "0",
};

async function withProcess<Result>(
  program: string,
  watch: (child: Child, elapsedMs: () => number) => Promise<Result>,
  env: Environment = {},
): Promise<Result> {
  const beganMs = performance.now();
  const child = Bun.spawn([program], {
    env: { ...LOOPBACK, ...env },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: PATIENCE_MS,
  });
  ownProcess(child);
  try {
    return await watch(child, () => performance.now() - beganMs);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

/** Returns the port of gRPC from the log. */
async function grpcPort(stderr: ReadableStream<Uint8Array>): Promise<number> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of stderr) {
    text += decoder.decode(piece, { stream: true });
    const line = text.split("\n").find((one) => /"event":"listening".*"grpc".*\}$/.test(one));
    if (line !== undefined) return Number((JSON.parse(line) as { port: unknown }).port);
  }
  throw new CannotRunError(`the binary does not say where it listens:\n${text}`);
}

const MESSAGE = grpcMessage(serverRequestShape(1).bytes);

async function exportOneSpan(port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", reject);
  const stream = session.request({
    ":method": "POST",
    ":path": EXPORT_PATH,
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", reject);
  stream.on("trailers", (trailers) => resolve(trailers["grpc-status"]));
  stream.resume();
  stream.end(MESSAGE);
  const status = String(await promise);
  session.destroy();
  if (status !== "0") throw new CannotRunError(`the first span is answered with status ${status}`);
}
