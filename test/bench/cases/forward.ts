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

/** How spans are forwarded, and what that is compared with; receiving only, by default. */
interface Way {
  readonly name: string;
  readonly scheme: "grpc" | "http" | "kafka";
  readonly compression: "none" | "gzip";
  readonly beside?: string;
}

const WAYS: readonly Way[] = [
  { name: "gRPC", scheme: "grpc", compression: "none" },
  { name: "gRPC, gzip", scheme: "grpc", compression: "gzip" },
  { name: "HTTP", scheme: "http", compression: "none" },
  { name: "HTTP, gzip", scheme: "http", compression: "gzip" },
  { name: "Kafka", scheme: "kafka", compression: "none", beside: "HTTP" },
  { name: "Kafka, gzip", scheme: "kafka", compression: "gzip", beside: "HTTP, gzip" },
];

const UPSTREAMS: Readonly<Record<Way["scheme"], ReferenceKind>> = {
  grpc: "discard",
  http: "discard-http",
  kafka: "discard-kafka",
};

const GOAL: Goal = { of: "ratio", is: ">=", bound: 0.5 };
const GOAL_BESIDE: Goal = { of: "ratio", is: ">=", bound: 1 };

/**
 * Measures forwarding on one machine: the load, spanring, and an upstream that counts and discards.
 */
export const forward: BenchCase = {
  name: "forward",
  shows: "the rate of forwarded spans, next to receiving only, Kafka to HTTP; memory in an outage",
  run: async (run) => {
    requireH2load();
    return [...(await speedFigures(run)), ...(await outageFigures(run))];
  },
};

async function speedFigures(run: BenchRun): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack();
  const alone = stack.use(await startSpanring(ROOM));
  const contenders: Contender[] = [await contenderOf(alone)];
  for (const { name, scheme, compression } of WAYS) {
    const { port } = stack.use(await startReference(UPSTREAMS[scheme], `upstream, ${name}`));
    const spanring = stack.use(
      await startSpanring({
        ...ROOM,
        FORWARD_ENDPOINT: `${scheme}://127.0.0.1:${port}${scheme === "kafka" ? "/spans" : ""}`,
        FORWARD_COMPRESSION: compression,
      }),
    );
    contenders.push({ ...(await contenderOf(spanring)), toTheEnd: () => allDelivered(spanring) });
  }
  const all = await takeTurns(contenders, `forward: ${SPAN_COUNT} spans a request`, run);
  const turns = new Map(
    ["in alone", ...WAYS.map(({ name }) => name)].map((name, at) => [name, all[at]!]),
  );
  return WAYS.flatMap((way) => figuresOf(way, turns));
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

function figuresOf(
  { name, beside = "in alone" }: Way,
  turns: ReadonlyMap<string, readonly Turn[]>,
): Figure[] {
  const [own, others] = [turns.get(name)!, turns.get(beside)!];
  const figures: Figure[] = [
    {
      name: `in and on, ${name}`,
      unit: "spans/s",
      better: "higher",
      samples: rates(own),
      reference: { name: beside, samples: rates(others) },
      goal: beside === "in alone" ? GOAL : GOAL_BESIDE,
    },
    {
      name: `processor time, ${name}`,
      unit: "ns/span",
      better: "lower",
      samples: costs(own),
      reference: { name: beside, samples: costs(others) },
    },
  ];
  return figures.filter(({ samples }) => samples.length > 0);
}
