import { expect, test } from "bun:test";
import { readRange } from "../../../../src/adapters/cli/send/topic-source.ts";
import {
  TopicFault,
  type TopicItem,
  type TopicRange,
  type TopicSource,
} from "../../../../src/ports/topic-source.ts";
import {
  type Answer,
  startFakeServer,
  stopFakeServersAfterEach,
} from "../../../support/fakes/fake-api.ts";
import { textBytes } from "../../../support/requests/byte-chunks.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import { accept, base64, REQUESTS } from "../../../support/upstreams/sending.ts";

stopFakeServersAfterEach();

const TOPIC = "kafka://broker:9092/otlp_spans";

/** A topic with these items, of which a fault ends the reading. */
class FakeTopic implements TopicSource {
  readonly ranges: TopicRange[] = [];
  isClosed = false;
  private readonly items: readonly (TopicItem | TopicFault | "pause")[];

  constructor(items: readonly (TopicItem | TopicFault | "pause")[]) {
    this.items = items;
  }

  async read(range: TopicRange, _signal?: AbortSignal): Promise<AsyncGenerator<TopicItem>> {
    this.ranges.push(range);
    const [first] = this.items;
    if (first instanceof TopicFault) throw first;
    return itemsOf(this.items);
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

async function* itemsOf(items: readonly (TopicItem | TopicFault | "pause")[]) {
  for (const item of items) {
    if (item instanceof TopicFault) throw item;
    if (item === "pause") await new Promise(() => {});
    else yield item;
  }
}

function message(offset: number, value: Uint8Array | null): TopicItem {
  return { partition: 2, offset: BigInt(offset), value };
}

const MESSAGES = REQUESTS.map((request, offset) => message(offset, request));

/** Sends what is in a topic to a receiver. */
async function sendFrom(
  items: readonly (TopicItem | TopicFault | "pause")[],
  argv: readonly string[] = ["--since", "10m"],
  answer: Answer = accept,
  stopped: () => Promise<unknown> = () => new Promise(() => {}),
) {
  const topic = new FakeTopic(items);
  const openTopic = async () => ({ ok: true, source: topic }) as const;
  const receiver = startFakeServer(answer);
  const end = await runCommands(["send", "--from", TOPIC, "--to", receiver.url, ...argv], {
    openTopic,
    stopped,
  });
  return { ...end, topic, bodies: base64(receiver.requests.map(({ body }) => body)) };
}

test("the messages since a time are sent unchanged, and the topic is closed", async () => {
  const end = await sendFrom(MESSAGES);

  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  expect(end.stdout).toStartWith("sent 6 spans in 3 requests");
  expect(end.bodies.toSorted()).toEqual(base64(REQUESTS).toSorted());
  expect(end.topic.isClosed).toBe(true);
});

test("messages that are not otlp_proto are skipped, with their places, and counted", async () => {
  const end = await sendFrom([
    MESSAGES[0]!,
    message(1, textBytes('{"resourceSpans":[]}')),
    message(2, textBytes("hello")),
    message(3, null),
    { partition: 0, firstOffset: 5n, lastOffset: 90n },
    MESSAGES[2]!,
  ]);

  expect(end.exitCode).toBe(1);
  expect(end.stdout).toStartWith("sent 5 spans in 2 requests");
  const lines = end.stderr.trimEnd().split("\n");
  const place = `spanring: ${TOPIC}, partition 2, offset`;
  expect(lines).toEqual([
    `${place} 1: this is JSON, and only otlp_proto can be read; 20 B skipped`,
    expect.stringMatching(
      / offset 2: this is not a trace request: at byte \d of it: .*; 5 B skipped$/,
    ),
    `${place} 3: the message has no value; 0 B skipped`,
    `spanring: ${TOPIC}, partition 0, offsets 5 to 90: the brokers removed these messages ` +
      "before they were read",
  ]);
});

test("ten messages that cannot be read are listed, and the others are counted", async () => {
  const wrong = Array.from({ length: 25 }, (_, at) => message(at, textBytes("hello")));

  const end = await sendFrom(wrong);

  const lines = end.stderr.trimEnd().split("\n");
  expect(lines).toHaveLength(11);
  expect(lines[10]).toBe("spanring: 15 more broken parts skipped (75 B)");
});

test("a topic that cannot be read is a failure with what to check", async () => {
  const hint = "create the topic, or check its name in FORWARD_ENDPOINT";

  const end = await sendFrom([new TopicFault("UNKNOWN_TOPIC_OR_PARTITION", hint)]);
  const lost = await sendFrom([new TopicFault("ECONNREFUSED")]);

  expect(end).toMatchObject({ exitCode: 3, stdout: "", bodies: [] });
  expect(end.stderr).toBe(
    `spanring: cannot read ${TOPIC}: UNKNOWN_TOPIC_OR_PARTITION\n` +
      "Create the topic, or check its name in --from.\n",
  );
  expect(end.topic.isClosed).toBe(true);
  expect(lost.stderr).toEndWith(
    "ECONNREFUSED\nStart a broker there, or check the address, FORWARD_TLS_* and FORWARD_SASL_*.\n",
  );
});

test("if the brokers are lost, the result so far is reported", async () => {
  const end = await sendFrom([...MESSAGES, new TopicFault("ECONNRESET", "check the network")]);

  expect(end.exitCode).toBe(3);
  expect(end.stdout).toStartWith("sent 6 spans in 3 requests");
  expect(end.stderr).toBe(`spanring: lost ${TOPIC}: ECONNRESET\nCheck the network.\n`);
});

test.each([
  { argv: [], name: "without --since" },
  { argv: ["--follow"], name: "with --follow only" },
  { argv: ["--since", "1h", "--follow"], name: "with --since and --follow" },
])("$name, Ctrl-C is the usual end, and every message is counted", async ({ argv }) => {
  const stop = Promise.withResolvers<void>();
  const answer: Answer = (request) => {
    stop.resolve();
    return accept(request);
  };

  const end = await sendFrom([MESSAGES[0]!, "pause"], argv, answer, () => stop.promise);

  expect(end.exitCode).toBe(0);
  expect(end.stdout).toStartWith("sent 3 spans in 1 request");
  expect(end.stderr).toBe(`spanring: reading ${TOPIC} until Ctrl-C\n`);
  expect(end.topic.ranges).toMatchObject([{ follows: true }]);
});

test("before the end of a range, Ctrl-C is an interruption", async () => {
  const stop = Promise.withResolvers<void>();
  const answer: Answer = (request) => {
    stop.resolve();
    return accept(request);
  };

  const end = await sendFrom(
    [MESSAGES[0]!, "pause"],
    ["--since", "1h"],
    answer,
    () => stop.promise,
  );

  expect(end.exitCode).toBe(130);
  expect(end.stdout).toStartWith("sent 3 spans in 1 request");
  expect(end.stderr).toBe("spanring: interrupted; the rest was not sent\n");
});

test("Ctrl-C before the topic answers is an interruption, not the usual end", async () => {
  const source = new FakeTopic([]);
  const asked = Promise.withResolvers<void>();
  source.read = async (_, signal) => {
    asked.resolve();
    await new Promise((resolve) => signal!.addEventListener("abort", resolve));
    return itemsOf([]);
  };

  const end = await runCommands(["send", "--from", TOPIC], {
    openTopic: async () => ({ ok: true, source }) as const,
    stopped: () => asked.promise,
  });

  expect(end).toEqual(expect.objectContaining({ exitCode: 130, stdout: "", stderr: "" }));
  expect(source.isClosed).toBe(true);
});

test("a fault of the program is not hidden", async () => {
  const source = new FakeTopic([]);
  source.read = () => Promise.reject(new RangeError("a bug"));

  const running = runCommands(["send", "--from", TOPIC], {
    openTopic: async () => ({ ok: true, source }) as const,
  });

  await expect(running).rejects.toThrow("a bug");
});

test.each([
  { since: undefined, follow: false, range: { sinceUnixMs: undefined, follows: true } },
  { since: undefined, follow: true, range: { sinceUnixMs: undefined, follows: true } },
  { since: "10m", follow: false, range: { sinceUnixMs: 400_000, follows: false } },
  { since: "10m", follow: true, range: { sinceUnixMs: 400_000, follows: true } },
  { since: "1970-01-01", follow: false, range: { sinceUnixMs: 0, follows: false } },
  // Negative times would mean the ends of a topic.
  { since: "1h", follow: false, range: { sinceUnixMs: 0, follows: false } },
  { since: "yesterday", follow: false, range: undefined },
])("--since $since and --follow $follow mean $range", ({ since, follow, range }) => {
  expect(readRange({ since, follow }, 1_000_000)).toEqual(range);
});

test("a topic that cannot be read for a while is reported while it is followed", async () => {
  const topic = new FakeTopic(MESSAGES);
  const read = topic.read.bind(topic);
  topic.read = async (range) => {
    range.stalled?.(new TopicFault("no leader", "start the brokers"));
    range.stalled?.(undefined);
    return await read(range);
  };
  const receiver = startFakeServer(accept);

  const { stderr } = await runCommands(["send", "--from", TOPIC, "--to", receiver.url], {
    openTopic: async () => ({ ok: true, source: topic }) as const,
  });

  expect(stderr).toStartWith(`spanring: cannot read ${TOPIC}, still trying: no leader\n`);
  expect(stderr).toContain(`spanring: reading ${TOPIC} again\n`);
});
