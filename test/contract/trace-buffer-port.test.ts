import { ProtobufSpanCodec } from "../../src/adapters/otlp/span-codec.ts";
import { ObservabilityBuffer } from "../../src/application/ring/observability-buffer.ts";
import { ArrayTraceBuffer } from "../support/oracles/array-trace-buffer.ts";
import { describeTraceBufferPort } from "./trace-buffer-port.ts";

const codec = new ProtobufSpanCodec();
const bytes = 1 << 20;

describeTraceBufferPort("an array", (spans) => new ArrayTraceBuffer(spans));

describeTraceBufferPort("the ring", (spans) =>
  ObservabilityBuffer.create({ spans, bytes }, { codec }),
);

describeTraceBufferPort("the ring, opened a second time", (spans) => {
  const created = ObservabilityBuffer.create({ spans, bytes }, { codec });
  return ObservabilityBuffer.open(created.shared, { codec });
});
