import type { Environment } from "../../../src/config/config.ts";
import { readApiClient } from "../../support/running/read-api-client.ts";
import { type BenchCase, type BenchRun, CannotRunError } from "../bench-case.ts";
import type { Figure, Goal } from "../figure.ts";
import { requireH2load } from "../load/h2load.ts";
import { outageFigures } from "../load/outage.ts";
import { requestFile } from "../load/request-file.ts";
import { type Contender, costs, rates, takeTurns, type Turn } from "../load/turns.ts";
import { serverRequestShape } from "../request-corpus.ts";
import type { ReferenceKind } from "../servers/reference-server.ts";
import { exportOnce, type Spanring, startReference, startSpanring } from "../servers/subject.ts";

const SPAN_COUNT = 512;

/** Room for all spans of a turn; if some were evicted, less would be forwarded. */
const ROOM: Environment = { MAX_BUFFER_SIZE: "4000000", MAX_BUFFER_BYTES: "1536MiB" };

const PROTOCOLS = [
  { name: "gRPC", scheme: "grpc", compression: "none" },
  { name: "gRPC, gzip", scheme: "grpc", compression: "gzip" },
  { name: "HTTP", scheme: "http", compression: "none" },
  { name: "HTTP, gzip", scheme: "http", compression: "gzip" },
] as const;

const UPSTREAMS: Readonly<Record<"grpc" | "http", ReferenceKind>> = {
  grpc: "discard",
  http: "discard-http",
};

const GOAL: Goal = { of: "ratio", is: ">=", bound: 0.5 };

/**
 * Measures forwarding on one machine: the load, spanring, and an upstream that counts and discards.
 */
export const forward: BenchCase = {
  name: "forward",
  shows: "the rate of forwarded spans, next to receiving only; and memory in an outage",
  run: async (run) => {
    requireH2load();
    return [...(await speedFigures(run)), ...(await outageFigures(run))];
  },
};

async function speedFigures(run: BenchRun): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack();
  const alone = stack.use(await startSpanring(ROOM));
  const contenders: Contender[] = [await contenderOf(alone)];
  for (const { name, scheme, compression } of PROTOCOLS) {
    const { port } = stack.use(await startReference(UPSTREAMS[scheme], `upstream, ${name}`));
    const spanring = stack.use(
      await startSpanring({
        ...ROOM,
        FORWARD_ENDPOINT: `${scheme}://127.0.0.1:${port}`,
        FORWARD_COMPRESSION: compression,
      }),
    );
    contenders.push({ ...(await contenderOf(spanring)), toTheEnd: () => allDelivered(spanring) });
  }
  const turns = await takeTurns(contenders, `forward: ${SPAN_COUNT} spans a request`, run);
  return PROTOCOLS.flatMap(({ name }, at) => figuresOf(name, turns[at + 1]!, turns[0]!));
}

async function contenderOf(subject: Spanring): Promise<Contender> {
  const { bytes } = serverRequestShape(SPAN_COUNT);
  await exportOnce(subject.port, bytes);
  return { subject, port: subject.port, bodyFile: requestFile(bytes), spanCount: SPAN_COUNT };
}

const POLL_MS = 5;

async function allDelivered({ apiUrl }: Spanring): Promise<void> {
  const api = readApiClient(apiUrl);
  for (;;) {
    const { spans } = await api.stats();
    if (spans.evicted + spans.undeliverable > 0) throw new CannotRunError("spans were lost");
    if (spans.buffered === 0) return;
    await Bun.sleep(POLL_MS);
  }
}

function figuresOf(name: string, turns: readonly Turn[], alone: readonly Turn[]): Figure[] {
  const figures: Figure[] = [
    {
      name: `in and on, ${name}`,
      unit: "spans/s",
      better: "higher",
      samples: rates(turns),
      reference: { name: "in alone", samples: rates(alone) },
      goal: GOAL,
    },
    {
      name: `processor time, ${name}`,
      unit: "ns/span",
      better: "lower",
      samples: costs(turns),
      reference: { name: "in alone", samples: costs(alone) },
    },
  ];
  return figures.filter(({ samples }) => samples.length > 0);
}
