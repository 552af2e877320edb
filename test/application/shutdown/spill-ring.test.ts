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

/** A ring that holds these requests, and what leaves it. */
function ringWith(...requests: Uint8Array[]) {
  const codec = new ProtobufSpanCodec();
  const buffer = ObservabilityBuffer.create({ spans: 20_000, bytes: 1 << 24 }, { codec });
  const walked = createWalkedRequest({ spansPerRequest: 20_000, nestingDepth: 100 });
  for (const each of requests) {
    walkRequest(walked, each);
    buffer.append(walked);
  }
  const logger = new RecordingLogger();
  const leave = (spill?: FakeSpill, isForwarding = true) =>
    spillRing({ buffer, spill, isForwarding, logger });
  return { buffer, leave, logger };
}

const SPAN_BYTES = spanBody(1).length;
const TWO_SERVICES = request(resourceSpans("shop", span(3)), resourceSpans("till", span(4)));

test("remaining spans are written byte for byte, oldest first, and stay buffered", async () => {
  const { buffer, leave, logger } = ringWith(requestOf(2), TWO_SERVICES);
  const spill = new FakeSpill();

  await leave(spill);

  const fields = { spans: 4, bytes: 4 * SPAN_BYTES, file: "fake" };
  expect(joined(...spill.kept.get("fake")!)).toEqual(joined(requestOf(2), TWO_SERVICES));
  expect(buffer.stats().spans).toMatchObject({ buffered: 4, evicted: 0 });
  expect(logger.lines).toEqual([{ level: "info", event: "spilled", fields }]);
});

test("it is written without forwarding, too", async () => {
  const { leave } = ringWith(requestOf(2));
  const spill = new FakeSpill();

  await leave(spill, false);

  expect(spill.kept.size).toBe(1);
});

test("many spans are written in pieces, none twice", async () => {
  const { buffer, leave, logger } = ringWith(requestOf(10_000));
  const whole = buffer.peek(10_000).request;
  const spill = new FakeSpill();

  await leave(spill);

  const written = spill.kept.get("fake")!;
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
  const { leave } = ringWith(requestOf(2));
  const spill = new FakeSpill();
  spill.failure = isBroken === true ? "ENOSPC: no space left on device" : undefined;

  expect(await leave(isBroken === undefined ? undefined : spill, isForwarding)).toBe(outcome);
});

test("an empty ring leaves nothing and says nothing", async () => {
  const { leave, logger } = ringWith();
  const spill = new FakeSpill();

  await leave(spill);
  await leave();

  expect(spill.kept.size).toBe(0);
  expect(logger.lines).toEqual([]);
});

test("where something is in the way, the log says which is read and which is not", async () => {
  const { leave, logger } = ringWith(requestOf(2));
  const spill = new FakeSpill();
  await spill.write([requestOf(1)]);

  await leave(spill);

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

test("without a spill file, spans not forwarded are logged as lost", async () => {
  const { leave, logger } = ringWith(requestOf(2), TWO_SERVICES);

  await leave();

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
  const { leave, logger } = ringWith(requestOf(2));

  await leave(undefined, false);

  expect(logger.lines).toEqual([]);
});

test.each([true, false])("what cannot be written is lost (forwarding: %p)", async (forwards) => {
  const { leave, logger } = ringWith(requestOf(2));
  const spill = new FakeSpill();
  spill.failure = "\u001b[31mno space";

  await leave(spill, forwards);

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
});

test.each([
  { name: "where there is room", spill: new FakeSpill() },
  { name: "where nothing is to be left", spill: undefined },
])("a start checks whether a stop can spill: $name", async ({ spill }) => {
  const logger = new RecordingLogger();

  expect(await canSpill({ spill, logger })).toBe(true);
  expect(logger.lines).toEqual([]);
});

test("a start that finds that a stop could leave nothing says why", async () => {
  const [logger, spill] = [new RecordingLogger(), new FakeSpill()];
  spill.failure = "no such folder";

  expect(await canSpill({ spill, logger })).toBe(false);
  expect(logger.lines).toMatchObject([
    { level: "error", event: "cannot_spill", fields: { file: "fake", reason: "no such folder" } },
  ]);
});
