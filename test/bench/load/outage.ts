import { readApiClient } from "../../support/running/read-api-client.ts";
import { startKafkaBroker } from "../../support/upstreams/kafka-broker.ts";
import { type BenchRun, CannotRunError } from "../bench-case.ts";
import type { Figure } from "../figure.ts";
import { serverRequestShape } from "../request-corpus.ts";
import { startBinary } from "../servers/subject.ts";
import {
  boundMib,
  overflowFor,
  overflowSeconds,
  readIdle,
  readWhile,
  SMALL_RING,
} from "./overflow.ts";
import { requestFile } from "./request-file.ts";

/** The default, which determines how much is held in addition to the ring. */
const FORWARD_CONCURRENCY = 4;
const FORWARD_BATCH_MIB = 3;

/** Measures memory under full load while the upstream accepts spans and never answers. */
export async function outageFigures(run: BenchRun): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const scheme of ["grpc", "http", "kafka"] as const) {
    run.progress(`forward: overflow in an outage of ${scheme}, for ${overflowSeconds(run)} s`);
    figures.push(...(await outageOf(scheme, run)));
  }
  return figures;
}

type Scheme = "grpc" | "http" | "kafka";

async function outageOf(scheme: Scheme, run: BenchRun): Promise<Figure[]> {
  await using silent = scheme === "kafka" ? await startSilentBroker() : listenAndSayNothing();
  await using program = await startBinary({
    ...SMALL_RING,
    FORWARD_ENDPOINT: `${scheme}://127.0.0.1:${silent.port}${scheme === "kafka" ? "/spans" : ""}`,
    FORWARD_CONCURRENCY: String(FORWARD_CONCURRENCY),
    FORWARD_BATCH_BYTES: `${FORWARD_BATCH_MIB}MiB`,
  });
  const idle = await readIdle(program);
  const body = { bodyFile: requestFile(serverRequestShape(512).bytes) };
  const { residentMib, unbalanced } = await readWhile(program, overflowFor(program, body, run));
  const { spans } = await readApiClient(program.apiUrl).stats();
  if (spans.evicted === 0) throw new CannotRunError("the ring should overflow, and does not");
  if (spans.delivered > 0) throw new CannotRunError("nothing should be delivered, and is");
  const bound = boundMib(idle) + FORWARD_CONCURRENCY * FORWARD_BATCH_MIB;
  return [
    {
      name: `resident in an outage, ${scheme}`,
      unit: "MiB",
      better: "lower",
      samples: residentMib,
      goal: { of: "max", is: "<=", bound },
    },
    {
      name: `ledgers out of balance, ${scheme}`,
      unit: "readings",
      better: "lower",
      samples: [unbalanced],
      goal: { of: "max", is: "<=", bound: 0 },
    },
  ];
}

function listenAndSayNothing() {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  return { port: listener.port, [Symbol.asyncDispose]: async () => listener.stop(true) };
}

/** A broker that says where the topic is, and never answers messages. */
async function startSilentBroker() {
  const broker = await startKafkaBroker({ discards: true, produce: () => undefined });
  return { port: broker.port, [Symbol.asyncDispose]: () => broker.stop() };
}
