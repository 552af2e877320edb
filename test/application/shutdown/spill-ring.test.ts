import { expect, test } from "bun:test";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { canSpill, spillRing } from "../../../src/application/shutdown/spill-ring.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { FakeSpill } from "../../support/fakes/fake-spill.ts";
import { joined } from "../../support/running/filled-ring.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import {
  request,
  requestOf,
  resourceSpans,
  span,
  spanBody,
} from "../../support/requests/request-bytes.ts";

/** Returns a ring that holds these requests, and a function that spills it. */
function ringWith(...requests: Uint8Array[]) {
  const codec = new ProtobufSpanCodec();
  const buffer = ObservabilityBuffer.create({ spans: 20_000, bytes: 1 << 24 }, { codec });
  const walked = createWalkedRequest({ spansPerRequest: 20_000, nestingDepth: 100 });
  for (const each of requests) {
    walkRequest(walked, each);
    buffer.append(walked);
  }
  const logger = new RecordingLogger();
  const spillTo = (spill?: FakeSpill, isForwarding = true) =>
    spillRing({ buffer, spill, isForwarding, logger });
  return { buffer, spillTo, logger };
}

const SPAN_BYTES = spanBody(1).length;
const TWO_SERVICES = request(resourceSpans("shop", span(3)), resourceSpans("till", span(4)));

test("remaining spans are written byte for byte, oldest first, and stay buffered", async () => {
  const { buffer, spillTo, logger } = ringWith(requestOf(2), TWO_SERVICES);
  const spill = new FakeSpill();

  await spillTo(spill);

  const fields = { spans: 4, bytes: 4 * SPAN_BYTES, file: "fake" };
  expect(joined(...spill.files.get("fake")!)).toEqual(joined(requestOf(2), TWO_SERVICES));
  expect(buffer.stats().spans).toMatchObject({ buffered: 4, evicted: 0 });
  expect(logger.lines).toEqual([{ level: "info", event: "spilled", fields }]);
});

test("remaining spans are written without forwarding as well", async () => {
  const { spillTo } = ringWith(requestOf(2));
  const spill = new FakeSpill();

  await spillTo(spill, false);

  expect(spill.files.size).toBe(1);
});

test("many spans are written in pieces, each once", async () => {
  const { buffer, spillTo, logger } = ringWith(requestOf(10_000));
  const whole = buffer.peek(10_000).request;
  const spill = new FakeSpill();

  await spillTo(spill);

  const written = spill.files.get("fake")!;
  expect(written).toHaveLength(2);
  expect(new ProtobufSpanCodec().decode(joined(...written))).toEqual(
    new ProtobufSpanCodec().decode(whole),
  );
  expect(logger.lines).toMatchObject([{ event: "spilled", fields: { spans: 10_000 } }]);
});

test.each([
  { name: "a file that takes them", isForwarding: true, isBroken: false, outcome: "kept" },
  { name: "a file on a full disk", isForwarding: false, isBroken: true, outcome: "lost" },
  { name: "forwarding and no file", isForwarding: true, outcome: "lost" },
  { name: "readers only", isForwarding: false, outcome: "kept" },
])("with $name, remaining spans are $outcome", async ({ isForwarding, isBroken, outcome }) => {
  const { spillTo } = ringWith(requestOf(2));
  const spill = new FakeSpill();
  spill.failure = isBroken === true ? "ENOSPC: no space left on device" : undefined;

  expect(await spillTo(isBroken === undefined ? undefined : spill, isForwarding)).toBe(outcome);
});

test("an empty ring writes no file and logs nothing", async () => {
  const { spillTo, logger } = ringWith();
  const spill = new FakeSpill();

  await spillTo(spill);
  await spillTo();

  expect(spill.files.size).toBe(0);
  expect(logger.lines).toEqual([]);
});

test("an existing file is not overwritten, and the log names both files", async () => {
  const { spillTo, logger } = ringWith(requestOf(2));
  const spill = new FakeSpill();
  await spill.write([requestOf(1)]);

  await spillTo(spill);

  expect(logger.lines).toEqual([
    { level: "info", event: "spilled", fields: expect.objectContaining({ file: "fake.1" }) },
    {
      level: "warning",
      event: "spill_file_in_the_way",
      fields: {
        in_the_way: "fake",
        file: "fake.1",
        hint: "the next start reads only fake; use spanring send for the other",
      },
    },
  ]);
});

test("without a spill file, spans that were not forwarded are logged as lost", async () => {
  const { spillTo, logger } = ringWith(requestOf(2), TWO_SERVICES);

  await spillTo();

  expect(logger.lines).toEqual([
    {
      level: "warning",
      event: "lost",
      fields: {
        spans: 4,
        bytes: 4 * SPAN_BYTES,
        by_service: [
          { service: "shop", spans: 3, bytes: 3 * SPAN_BYTES },
          { service: "till", spans: 1, bytes: SPAN_BYTES },
        ],
        hint: "set SHUTDOWN_SPILL_FILE to keep such spans for the next start",
      },
    },
  ]);
});

test("without forwarding, remaining spans are not lost", async () => {
  const { spillTo, logger } = ringWith(requestOf(2));

  await spillTo(undefined, false);

  expect(logger.lines).toEqual([]);
});

test.each([true, false])(
  "spans that cannot be written are lost (forwarding: %p)",
  async (forwards) => {
    const { spillTo, logger } = ringWith(requestOf(2));
    const spill = new FakeSpill();
    spill.failure = "\u001b[31mno space";

    await spillTo(spill, forwards);

    const reason = "\\x1b[31mno space";
    expect(logger.lines).toEqual([
      { level: "error", event: "cannot_spill", fields: { file: "fake", reason } },
      {
        level: "warning",
        event: "lost",
        fields: expect.objectContaining({
          spans: 2,
          hint: "free space there, or set SHUTDOWN_SPILL_FILE to another file",
        }),
      },
    ]);
  },
);

test.each([
  { name: "with a writable file", spill: new FakeSpill() },
  { name: "without a file", spill: undefined },
])("a start logs nothing if a stop can spill or need not: $name", async ({ spill }) => {
  const logger = new RecordingLogger();

  expect(await canSpill({ spill, logger })).toBe(true);
  expect(logger.lines).toEqual([]);
});

test("a start logs why a stop could not spill", async () => {
  const [logger, spill] = [new RecordingLogger(), new FakeSpill()];
  spill.failure = "no such folder";

  expect(await canSpill({ spill, logger })).toBe(false);
  expect(logger.lines).toMatchObject([
    { level: "error", event: "cannot_spill", fields: { file: "fake", reason: "no such folder" } },
  ]);
});
