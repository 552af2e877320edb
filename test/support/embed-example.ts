import { ProtobufSpanCodec } from "../../src/adapters/otlp/span-codec.ts";
import { ObservabilityBuffer } from "../../src/application/observability-buffer.ts";
import type { TraceBufferPort } from "../../src/ports/trace-buffer-port.ts";

const options = { codec: new ProtobufSpanCodec() };
const ring = ObservabilityBuffer.create({ spans: 1_000, bytes: 16 * 1024 * 1024 }, options);
const buffer: TraceBufferPort = ring;

const none = { attributes: [], droppedAttributesCount: 0 };
const isKept = buffer.addSpan({
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceState: "",
  flags: 1,
  name: "load orders",
  kind: 1,
  startTimeUnixNano: 1_753_000_000_000_000_000n,
  endTimeUnixNano: 1_753_000_000_250_000_000n,
  ...none,
  attributes: [{ key: "orders", value: { type: "int", value: 42n } }],
  events: [],
  droppedEventsCount: 0,
  links: [],
  droppedLinksCount: 0,
  status: { code: 1, message: "" },
  resource: { ...none, entityRefs: [], schemaUrl: "" },
  scope: { ...none, name: "shop", version: "1.0.0", schemaUrl: "" },
});

const [oldest] = buffer.getSpans(10);
process.stdout.write(`${isKept}, ${oldest?.name}, ${buffer.size()} left\n`);
