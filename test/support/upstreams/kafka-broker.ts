import { type AddressInfo, createServer, type Socket } from "node:net";
import { ArrivalsCount } from "./arrivals-count.ts";
import { type BrokerBatch, type BrokerMessage, readBatch } from "./kafka-batches.ts";
import { type KafkaLog, writeFetched, writeOffsets } from "./kafka-log.ts";
import { KafkaFrames, type KafkaReader, KafkaWriter } from "./kafka-bytes.ts";

/** What the broker does. Errors are numbers of the protocol; 0 is success. */
export interface BrokerScript {
  readonly partitions?: number;
  /** Whether it knows no versions that a producer of today needs. */
  readonly isOld?: boolean;
  readonly topicError?: () => number;
  readonly producerIdError?: () => number;
  /** Returns the error of a batch; undefined for no answer, and "close" to close the connection. */
  readonly produce?: (batch: BrokerBatch) => number | "close" | undefined;
  /** Whether it forgets messages unread, of one partition at a time, as in benchmarks. */
  readonly discards?: boolean;
  /** The topic, if clients read it. */
  readonly log?: KafkaLog;
  /** The required credentials of SASL, as they are sent, with the text of a refusal. */
  readonly sasl?: { readonly mechanism: string; readonly bytes: string; readonly refusal: string };
}

/**
 * A broker of Apache Kafka with one topic, which answers as its script says. It speaks the oldest
 * versions that the client library supports, because they are the simplest.
 */
export interface KafkaBroker {
  readonly port: number;
  /** Where clients are sent for the topic; may be changed, for a server in front. */
  readonly shown: { host: string; port: number };
  readonly batches: BrokerBatch[];
  readonly messages: BrokerMessage[];
  readonly arrivals: ArrivalsCount;
  /** Counts the requests for metadata. */
  readonly asked: ArrivalsCount;
  /** The connections that were opened. */
  readonly sockets: Set<Socket>;
  stop(): Promise<void>;
}

export async function startKafkaBroker(script: BrokerScript, port = 0): Promise<KafkaBroker> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    answerSocket(socket, { script, broker });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const [arrivals, asked] = [new ArrivalsCount(), new ArrivalsCount()];
  const { port: ownPort } = server.address() as AddressInfo;
  const broker: KafkaBroker = {
    port: ownPort,
    shown: { host: "127.0.0.1", port: ownPort },
    batches: [],
    messages: [],
    arrivals,
    asked,
    sockets,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return broker;
}

interface Service {
  readonly script: BrokerScript;
  readonly broker: KafkaBroker;
}

function answerSocket(socket: Socket, service: Service): void {
  const headBytes = service.script.discards === true ? HEAD_BYTES : undefined;
  const frames = new KafkaFrames((frame) => answerRequest(socket, frame, service), headBytes);
  socket.on("data", (bytes: Buffer) => frames.add(bytes));
}

/** More than all fields before the first messages take. */
const HEAD_BYTES = 1_024;

const API = {
  produce: 0,
  fetch: 1,
  offsets: 2,
  metadata: 3,
  handshake: 17,
  versions: 18,
  producerId: 22,
  sasl: 36,
};

/** The versions that this broker speaks. */
const VERSIONS: readonly (readonly [key: number, from: number, to: number])[] = [
  [API.produce, 3, 7],
  [API.fetch, 4, 4],
  [API.offsets, 1, 1],
  [API.metadata, 8, 8],
  [API.handshake, 1, 1],
  [API.versions, 0, 1],
  [API.producerId, 0, 1],
  [API.sasl, 1, 1],
];

function answerRequest(socket: Socket, request: KafkaReader, service: Service): void {
  const [key, version, correlation] = [request.int16(), request.int16(), request.int32()];
  request.string();
  const answer = new KafkaWriter().int32(correlation);
  const isAnswered = writeAnswer(answer, { key, version, request }, service);
  if (isAnswered === "close") socket.destroy();
  else if (isAnswered) socket.write(answer.framed());
}

interface ApiRequest {
  readonly key: number;
  readonly version: number;
  readonly request: KafkaReader;
}

const UNSUPPORTED_VERSION = 35;

function writeAnswer(
  answer: KafkaWriter,
  { key, version, request }: ApiRequest,
  service: Service,
): boolean | "close" {
  const { script, broker } = service;
  switch (key) {
    case API.versions:
      writeVersions(answer, version, script);
      return true;
    case API.metadata:
      writeMetadata(answer, request, service);
      broker.asked.note();
      return true;
    case API.producerId:
      answer.int32(0).int16(script.producerIdError?.() ?? 0);
      answer.int64(nextProducerId++).int16(0);
      return true;
    case API.handshake: {
      const isKnown = request.string() === script.sasl?.mechanism;
      answer.int16(isKnown ? 0 : 33).array([script.sasl?.mechanism ?? ""], (name) => {
        answer.string(name);
      });
      return true;
    }
    case API.sasl: {
      const isRight = request.bytes().toString() === script.sasl?.bytes;
      answer.int16(isRight ? 0 : 58).string(isRight ? null : script.sasl!.refusal);
      answer.bytes(Buffer.alloc(0)).int64(0n);
      return true;
    }
    case API.fetch:
      return writeFetched(answer, request, script.log!);
    case API.offsets:
      return writeOffsets(answer, request, script.log!);
    default:
      return writeProduced(answer, request, service);
  }
}

/** The versions of Apache Kafka 0.10. */
const OLD_VERSIONS: typeof VERSIONS = [
  [API.produce, 0, 2],
  [API.metadata, 0, 2],
  [API.versions, 0, 0],
];

/** Answers in version 0 to a version that it does not know. */
function writeVersions(answer: KafkaWriter, version: number, { isOld = false }: BrokerScript) {
  const versions = isOld ? OLD_VERSIONS : VERSIONS;
  const isKnown = versions.some(([key, , to]) => key === API.versions && version <= to);
  answer.int16(isKnown ? 0 : UNSUPPORTED_VERSION).array(versions, ([api, from, to]) => {
    answer.int16(api).int16(from).int16(to);
  });
  if (isKnown && version > 0) answer.int32(0);
}

let nextProducerId = 1n;

function writeMetadata(
  answer: KafkaWriter,
  request: KafkaReader,
  { script, broker }: Service,
): void {
  const topics = request.array(() => request.string() ?? "");
  answer.int32(0).array([1], (node) => {
    answer.int32(node).string(broker.shown.host).int32(broker.shown.port).string(null);
  });
  answer
    .string("cluster")
    .int32(1)
    .array(topics, (topic) => {
      const error = script.topicError?.() ?? 0;
      const count = script.log?.partitions.length ?? script.partitions ?? 1;
      const partitions = error === 0 ? [...Array(count).keys()] : [];
      answer
        .int16(error)
        .string(topic)
        .int8(0)
        .array(partitions, (partition) => {
          answer.int16(0).int32(partition).int32(1).int32(0);
          for (const nodes of [[1], [1], []]) answer.array(nodes, (node) => answer.int32(node));
        });
      answer.int32(0);
    });
  answer.int32(0);
}

function writeProduced(
  answer: KafkaWriter,
  request: KafkaReader,
  { script, broker }: Service,
): boolean | "close" {
  request.string();
  const acks = request.int16();
  request.int32();
  let end: boolean | "close" = true;
  const topics = request.array(() => ({
    topic: request.string() ?? "",
    partitions: request.array(() => readBatch(request, acks, script.discards)),
  }));
  answer.array(topics, ({ topic, partitions }) => {
    answer.string(topic).array(partitions, (batch) => {
      const error = batch.isIntact ? answerTo(batch, script) : CORRUPT_MESSAGE;
      if (script.discards !== true) broker.batches.push(batch);
      broker.messages.push(...batch.messages);
      if (typeof error !== "number") end = error === "close" ? "close" : false;
      answer
        .int32(batch.partition)
        .int16(Number(error) || 0)
        .int64(0n)
        .int64(-1n)
        .int64(0n);
    });
  });
  answer.int32(0);
  broker.arrivals.note();
  return end;
}

const CORRUPT_MESSAGE = 2;

function answerTo(batch: BrokerBatch, { produce }: BrokerScript): number | "close" | undefined {
  return produce === undefined ? 0 : produce(batch);
}
