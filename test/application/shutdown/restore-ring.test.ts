import { expect, test } from "bun:test";
import { countSpans } from "../../../src/adapters/otlp-files/file-request.ts";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import {
  ObservabilityBuffer,
  type OverflowPolicy,
} from "../../../src/application/ring/observability-buffer.ts";
import { ReceiveTraces } from "../../../src/application/receiving/receive-traces.ts";
import { restoreRing } from "../../../src/application/shutdown/restore-ring.ts";
import { ledgerOf } from "../../support/oracles/ledger-of.ts";
import { FakeSpill } from "../../support/fakes/fake-spill.ts";
import { joined } from "../../support/running/filled-ring.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import {
  request,
  requestOf,
  resourceSpans,
  span,
  spanBody,
} from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

interface Setting {
  readonly spans?: number;
  readonly bytes?: number;
  readonly overflowPolicy?: OverflowPolicy;
  readonly spansPerRequest?: number;
}

/** Returns the parts of a start that finds these requests in its spill file. */
async function start(requests: readonly Uint8Array[], setting: Setting = {}) {
  const { spans = 100, bytes = 1 << 16, overflowPolicy = "drop_oldest" } = setting;
  const codec = new ProtobufSpanCodec();
  const buffer = ObservabilityBuffer.create({ spans, bytes }, { codec, overflowPolicy });
  const logger = new RecordingLogger();
  const limits = { spansPerRequest: setting.spansPerRequest ?? 1_000, nestingDepth: 100 };
  const receiver = new ReceiveTraces({ buffer, limits, logger, clock: new HandMovedClock() });
  const spill = new FakeSpill();
  if (requests.length > 0) await spill.write(requests);
  const maxAtOnce = { spans: Math.min(spans, limits.spansPerRequest), bytes };
  const restore = () => restoreRing({ spill, buffer, receiver, maxAtOnce, logger });
  return { buffer, receiver, spill, logger, restore };
}

const SPAN_BYTES = spanBody(1).length;
const namesIn = (buffer: ObservabilityBuffer) => buffer.getSpans(1_000).map(({ name }) => name);
const events = ({ lines }: RecordingLogger) => lines.map(({ level, event }) => [level, event]);

test("spilled spans are received byte for byte, and the file is removed", async () => {
  const { buffer, spill, logger, restore } = await start([requestOf(2), requestOf(1, 3)]);

  const restored = await restore();

  expect(restored).toEqual({ spans: 3, bytes: 3 * SPAN_BYTES });
  expect(buffer.stats().spans).toEqual(ledgerOf({ received: 3, accepted: 3, buffered: 3 }));
  expect(buffer.peek(3).request).toEqual(joined(requestOf(2), requestOf(1, 3)));
  expect(spill.files.size).toBe(0);
  expect(logger.lines).toEqual([
    { level: "info", event: "restored", fields: { spans: 3, bytes: 3 * SPAN_BYTES } },
  ]);
});

test("a start without a spill file restores and logs nothing", async () => {
  const { logger, restore } = await start([]);

  expect(await restore()).toEqual({ spans: 0, bytes: 0 });
  expect(logger.lines).toEqual([]);
});

test.each<{ name: string; setting: Setting }>([
  { name: "spans", setting: { spans: 3 } },
  { name: "spans, with the policy refuse,", setting: { spans: 3, overflowPolicy: "refuse" } },
  { name: "bytes", setting: { bytes: requestOf(2).length + 1 } },
])(
  "a file with more $name than the ring holds keeps the rest, with a warning",
  async ({ setting }) => {
    const requests = [requestOf(2), requestOf(2, 3), requestOf(1, 5)];
    const { buffer, spill, logger, restore } = await start(requests, setting);

    const restored = await restore();

    expect(restored.spans).toBe(2);
    expect(buffer.stats().spans).toEqual(ledgerOf({ received: 2, accepted: 2, buffered: 2 }));
    expect([...spill.files]).toEqual([["fake", requests.slice(1)]]);
    expect(events(logger)).toEqual([
      ["info", "restored"],
      ["warning", "not_all_restored"],
    ]);
    expect(logger.lines.at(-1)?.fields).toEqual({
      file: "fake",
      restored_spans: 2,
      left_spans: 3,
      hint: expect.stringContaining("the next start continues with it"),
    });
  },
);

test("a request as large as the ring waits until the ring is empty", async () => {
  const requests = [requestOf(1), requestOf(2, 2)];
  const { buffer, spill, restore } = await start(requests, { bytes: requestOf(2).length });

  const first = await restore();
  const left = spill.files.get("fake");
  const names = namesIn(buffer);
  const second = await restore();

  expect([first.spans, second.spans]).toEqual([1, 2]);
  expect(left).toEqual([requestOf(2, 2)]);
  expect(names).toEqual(["span 1"]);
  expect(spill.files.size).toBe(0);
});

test("several starts restore a large file into a small ring, each span once", async () => {
  const { buffer, restore } = await start([requestOf(5), requestOf(4, 6)], { spans: 3 });

  const names: string[][] = [];
  for (let starts = 0; starts < 4; starts += 1) {
    await restore();
    names.push(namesIn(buffer));
  }

  expect(names.flat()).toEqual(Array.from({ length: 9 }, (_, at) => `span ${at + 1}`));
});

test("a request with more spans than now allowed is restored in parts", async () => {
  const { buffer, spill, restore } = await start([requestOf(5)], { spansPerRequest: 2 });

  const restored = await restore();

  expect(restored.spans).toBe(5);
  expect(namesIn(buffer).at(-1)).toBe("span 5");
  expect(spill.files.size).toBe(0);
});

test("a request with more bytes than the ring holds is restored as far as it fits", async () => {
  const { buffer, spill, restore } = await start([requestOf(5)], { bytes: 200 });

  const { spans } = await restore();
  const left = spill.files.get("fake")!.map((each) => Number(countSpans(each)));

  expect(spans).toBeWithin(1, 5);
  expect(namesIn(buffer)).toHaveLength(spans);
  expect(left.reduce((sum, each) => sum + each, 0)).toBe(5 - spans);
});

test.each<{ name: string; break: (spill: FakeSpill) => void; reason: string }>([
  {
    name: "has a fault after the restored requests",
    break: (spill) => (spill.fault = "byte 90: cut off"),
    reason: "byte 90: cut off",
  },
  {
    name: "cannot be replaced",
    break: (spill) => {
      spill.replace = () => Promise.reject(new Error("ENOSPC"));
    },
    reason: "no space is left on the device",
  },
])("a file larger than the ring that $name is set aside as a whole", async (broken) => {
  const { buffer, spill, logger, restore } = await start([requestOf(2), requestOf(2, 3)], {
    spans: 3,
  });
  broken.break(spill);

  await restore();

  expect(buffer.size()).toBe(2);
  expect([...spill.files.keys()]).toEqual(["aside"]);
  expect(spill.files.get("aside")).toHaveLength(2);
  expect(logger.lines.at(-1)).toMatchObject({
    event: "cannot_restore",
    fields: { reason: broken.reason, restored_spans: 2, set_aside: "aside" },
  });
});

test("a file that is not read to its end is closed", async () => {
  const { spill, restore } = await start([requestOf(2), requestOf(2, 3)], { spans: 3 });
  spill.replace = () => Promise.reject(new Error("ENOSPC"));
  const read = spill.read.bind(spill);
  const file = { isOpen: false };
  spill.read = async function* () {
    file.isOpen = true;
    try {
      yield* read();
    } finally {
      file.isOpen = false;
    }
  };

  await restore();

  expect(file.isOpen).toBe(false);
});

test("requests before a fault are restored, and the file is set aside and logged", async () => {
  const { buffer, spill, logger, restore } = await start([requestOf(2)]);
  spill.fault = "byte 90: cut off";

  await restore();

  expect(namesIn(buffer)).toEqual(["span 1", "span 2"]);
  expect([...spill.files.keys()]).toEqual(["aside"]);
  expect(logger.lines.at(-1)).toEqual({
    level: "error",
    event: "cannot_restore",
    fields: {
      file: "fake",
      restored_spans: 2,
      reason: "byte 90: cut off",
      set_aside: "aside",
      hint: "spanring send aside sends its readable spans, including restored ones",
    },
  });
});

test.each<{ name: string; left: Uint8Array; setting: Setting; reason: string }>([
  {
    name: "a span larger than the ring",
    left: request(resourceSpans("shop", span(1, bytesField(3, "x".repeat(300))))),
    setting: { bytes: 200 },
    reason: "the request is larger than the whole buffer; send smaller batches",
  },
  {
    name: "an invalid span",
    left: request(resourceSpans("shop", bytesField(2, bytesField(5, "bad")))),
    setting: {},
    reason: "1 span",
  },
])("a file with $name is set aside as a whole", async ({ left, setting, reason }) => {
  const { buffer, spill, logger, restore } = await start([requestOf(1), left], setting);

  const restored = await restore();

  expect(restored.spans).toBe(1);
  expect(buffer.size()).toBe(1);
  expect(spill.files.get("aside")).toHaveLength(2);
  expect(logger.lines.at(-1)).toMatchObject({
    level: "error",
    event: "cannot_restore",
    fields: { reason: expect.stringContaining(reason), restored_spans: 1 },
  });
});

test("an internal error with one request sets the file aside and restores the others", async () => {
  const { receiver, spill, logger, restore } = await start([requestOf(1), requestOf(1, 2)]);
  const receive = receiver.receive.bind(receiver);
  const faults = [new Error("unforeseen")];
  receiver.receive = (each) => {
    const fault = faults.pop();
    if (fault !== undefined) throw fault;
    return receive(each);
  };

  expect((await restore()).spans).toBe(1);
  expect(spill.files.get("aside")).toHaveLength(2);
  expect(logger.lines.at(-1)?.fields).toMatchObject({ reason: "unexpected: unforeseen" });
});

test("a file that cannot be set aside is logged with the remedy", async () => {
  const { spill, logger, restore } = await start([]);
  spill.fault = "it is not a file";
  spill.failure = "EACCES";

  await restore();

  expect(logger.lines).toEqual([
    {
      level: "error",
      event: "cannot_restore",
      fields: {
        file: "fake",
        restored_spans: 0,
        reason: "it is not a file",
        hint: "move it elsewhere; it cannot be renamed (permission denied)",
      },
    },
  ]);
});

test("a file that cannot be removed is logged, because it would be restored again", async () => {
  const { spill, logger, restore } = await start([requestOf(1)]);
  spill.failure = "EACCES";

  await restore();

  expect(logger.lines.at(-1)).toEqual({
    level: "error",
    event: "cannot_remove_spill_file",
    fields: {
      file: "fake",
      reason: "permission denied",
      hint: "remove it; otherwise the next start restores the same spans again",
    },
  });
});
