import { Buffer } from "node:buffer";

/** A message as Apache Kafka's own console consumer prints it. */
export interface PrintedMessage {
  readonly partition: number;
  /** `null` for a message without a key. */
  readonly key: string;
  readonly value: Uint8Array;
}

interface Reading {
  readonly jars: string;
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly count: number;
}

const CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer";

/**
 * Reads this many messages of a topic from its start with the console consumer of Apache Kafka,
 * which has nothing in common with the client that the program sends with.
 */
export async function printedMessages(reading: Reading): Promise<PrintedMessage[]> {
  const { jars, brokers, topic, count } = reading;
  // Random, because values may contain any bytes.
  const [between, after] = [crypto.randomUUID(), crypto.randomUUID()];
  const options = ["--from-beginning", "--max-messages", String(count)];
  const form = ["print.partition=true", "print.key=true"];
  form.push(`key.separator=${between}`, `line.separator=${after}`);
  const where = ["--bootstrap-server", brokers.join(","), "--topic", topic];
  const properties = form.flatMap((property) => ["--property", property]);
  const command = ["java", "-Xmx256m", "-cp", jars, CONSUMER, ...where, ...options, ...properties];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
  const printed = Buffer.from(await child.stdout.bytes());
  await child.exited;
  return [...partsOf(printed, after)].map((line) => messageOf(line, between));
}

function* partsOf(bytes: Buffer, after: string): Generator<Buffer> {
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(after, start);
    yield bytes.subarray(start, end);
    start = end + after.length;
  }
}

function messageOf(line: Buffer, between: string): PrintedMessage {
  const first = line.indexOf(between);
  const second = line.indexOf(between, first + between.length);
  const key = line.toString("utf8", first + between.length, second);
  const partition = Number(/^Partition:(\d+)$/.exec(line.toString("utf8", 0, first))?.[1]);
  return { partition, key, value: line.subarray(second + between.length) };
}
