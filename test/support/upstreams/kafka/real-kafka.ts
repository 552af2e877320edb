import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Certificate } from "../certificates.ts";
import { freePorts } from "./free-ports.ts";
import { type PrintedMessage, printedMessages } from "./console-consumer.ts";
import type { SmallDisk } from "../../running/small-disk.ts";
import { Admin, type ConsumedMessage, Consumer } from "./kafka-tools.js";

const TOOLS = join(import.meta.dir, "../../../../.tools/kafka");
const JARS = join(TOOLS, "jars", "*");

/** Whether scripts/setup.sh could fetch Apache Kafka, which takes Java and Maven. */
export const HAS_KAFKA = existsSync(join(TOOLS, "installed.xml")) && Bun.which("java") !== null;

/** The user that the listener with SASL knows. */
export const USER = { name: "edge", password: "hunter2" } as const;

export interface KafkaCluster extends AsyncDisposable {
  /** The addresses of the listeners of each broker: without security, with SASL, and with TLS. */
  readonly plain: readonly string[];
  readonly login: readonly string[];
  readonly secure: readonly string[];
  createTopic(name: string, partitions: number, configs?: Record<string, string>): Promise<void>;
  /** Resolves to all messages of a topic. */
  messages(topic: string): Promise<ConsumedMessage[]>;
  /** Resolves to all messages of a topic, as Apache Kafka's own console consumer prints them. */
  printed(topic: string): Promise<PrintedMessage[]>;
  /** Resolves to the broker that leads the first partition of a topic. */
  leaderOf(topic: string): Promise<number>;
  /** Kills a broker without warning. */
  kill(broker: number): Promise<void>;
  /** Resolves when a broker has ended. */
  ended(broker: number): Promise<unknown>;
  /** Starts a broker that has ended; resolves when it answers. */
  restart(broker: number): Promise<void>;
}

interface KafkaOptions {
  readonly folder: string;
  readonly brokers: number;
  readonly certificate: Certificate;
  /** Holds the data of the brokers; in `folder` by default. */
  readonly disk?: Pick<SmallDisk, "folder" | "launcher">;
}

const HEAP = ["-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
const CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg";

/** Starts Apache Kafka without ZooKeeper, from its jars. */
export async function startKafka({
  folder,
  brokers,
  certificate,
  disk = { folder, launcher: [] },
}: KafkaOptions): Promise<KafkaCluster> {
  const ports = await freePorts(brokers * 4);
  const nodes = Array.from({ length: brokers }, (_, at) => ports.slice(at * 4, at * 4 + 4));
  const pem = join(folder, "server.pem");
  writeFileSync(pem, `${certificate.key}\n${certificate.cert}\n`);
  const files = nodes.map((_, at) => {
    const file = join(folder, `server-${at}.properties`);
    writeFileSync(file, propertiesOf(nodes, at, { folder: disk.folder, pem }));
    return file;
  });
  const launch = (file: string) => launchBroker(file, disk.launcher);
  await Promise.all(files.map((file) => format(file, disk.launcher)));
  const running = files.map(launch);
  const addresses = (listener: number) => nodes.map((node) => `127.0.0.1:${node[listener]}`);
  const plain = addresses(0);
  const readinesses = plain.map((address) => ready(address, brokers));
  await Promise.all(readinesses);
  const replicas = brokers;
  return {
    plain,
    login: addresses(1),
    secure: nodes.map((node) => `localhost:${node[2]}`),
    createTopic: (name, partitions, configs = {}) =>
      createTopic(plain, { name, partitions, replicas, configs }),
    messages: (topic) => messagesOf(plain, topic),
    printed: async (topic) =>
      printedMessages({ jars: JARS, brokers: plain, topic, count: await countOf(plain, topic) }),
    leaderOf: (topic) => leaderOf(plain, topic),
    kill: (broker) => killed(running[broker]!),
    ended: (broker) => running[broker]!.exited,
    restart: async (broker) => {
      running[broker] = launch(files[broker]!);
      await ready(plain[broker]!, brokers);
    },
    [Symbol.asyncDispose]: async () => void (await Promise.all(running.map(killed))),
  };
}

async function killed(child: Bun.Subprocess): Promise<void> {
  if (child.exitCode === null) child.kill("SIGKILL");
  await child.exited;
}

function propertiesOf(
  nodes: readonly (readonly number[])[],
  at: number,
  { folder, pem }: { readonly folder: string; readonly pem: string },
): string {
  const [plain, login, secure, controller] = nodes[at] as [number, number, number, number];
  const listeners = [`PLAIN://127.0.0.1:${plain}`, `LOGIN://127.0.0.1:${login}`];
  listeners.push(`SECURE://localhost:${secure}`);
  const voters = nodes.map((node, index) => `${index + 1}@127.0.0.1:${node[3]}`);
  return Object.entries({
    "process.roles": "broker,controller",
    "node.id": String(at + 1),
    listeners: [...listeners, `CONTROLLER://127.0.0.1:${controller}`].join(","),
    "advertised.listeners": listeners.join(","),
    "listener.security.protocol.map":
      "PLAIN:PLAINTEXT,LOGIN:SASL_PLAINTEXT,SECURE:SSL,CONTROLLER:PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "controller.quorum.voters": voters.join(","),
    "inter.broker.listener.name": "PLAIN",
    "log.dirs": join(folder, `data-${at}`),
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": String(nodes.length),
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "auto.create.topics.enable": "false",
    "log.cleaner.enable": "false",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "group.initial.rebalance.delay.ms": "0",
    "connection.failed.authentication.delay.ms": "0",
    // A killed broker leaves no one in doubt for long.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "controller.quorum.election.timeout.ms": "500",
    "controller.quorum.fetch.timeout.ms": "1000",
    ...loginProperties(),
    "listener.name.secure.ssl.keystore.type": "PEM",
    "listener.name.secure.ssl.keystore.location": pem,
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

const SECURITY = "org.apache.kafka.common.security";

/** Returns the settings of the listener with SASL, which knows one user. */
function loginProperties(): Record<string, string> {
  const prefix = "listener.name.login";
  const { name, password } = USER;
  const plain = `plain.PlainLoginModule required user_${name}="${password}"`;
  const scram = "scram.ScramLoginModule required";
  const claim = `unsecuredLoginStringClaim_sub="${name}"`;
  const bearer = `oauthbearer.OAuthBearerLoginModule required ${claim}`;
  const logins = {
    plain,
    "scram-sha-256": scram,
    "scram-sha-512": scram,
    oauthbearer: bearer,
  };
  const unsigned = "oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler";
  return {
    [`${prefix}.sasl.enabled.mechanisms`]: Object.keys(logins).join(",").toUpperCase(),
    [`${prefix}.oauthbearer.sasl.server.callback.handler.class`]: `${SECURITY}.${unsigned}`,
    ...Object.fromEntries(
      Object.entries(logins).map(([mechanism, login]) => {
        return [`${prefix}.${mechanism}.sasl.jaas.config`, `${SECURITY}.${login};`];
      }),
    ),
  };
}

/** Prepares the folder of a broker, with the user of SCRAM. */
async function format(file: string, launcher: readonly string[]): Promise<void> {
  const users = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
    "--add-scram",
    `${mechanism}=[name=${USER.name},password=${USER.password}]`,
  ]);
  const tool = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", file, ...users];
  const child = Bun.spawn([...launcher, "java", "-Xmx128m", "-cp", JARS, ...tool], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`cannot format: ${output}${errors}`);
}

function launchBroker(file: string, launcher: readonly string[]): Bun.Subprocess {
  const command = [...launcher, "java", ...HEAP, "-cp", JARS, "kafka.Kafka", file];
  return Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
}

/** Resolves when a broker knows this many brokers. */
async function ready(address: string, brokers: number): Promise<void> {
  for (let known = 0; known < brokers;) {
    const admin = new Admin({ clientId: "test", bootstrapBrokers: [address], retries: 0 });
    known = await admin.metadata({ topics: [] }).then(
      (metadata) => metadata.brokers.size,
      () => 0,
    );
    await admin.close();
    await Bun.sleep(known < brokers ? 100 : 0);
  }
}

interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly configs: Record<string, string>;
}

async function createTopic(
  brokers: readonly string[],
  { name, partitions, replicas, configs }: NewTopic,
): Promise<void> {
  const admin = new Admin({ clientId: "test", bootstrapBrokers: [...brokers] });
  const pairs = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
  await admin.createTopics({ topics: [name], partitions, replicas, configs: pairs });
  await admin.close();
}

async function leaderOf(brokers: readonly string[], topic: string): Promise<number> {
  const admin = new Admin({ clientId: "test", bootstrapBrokers: [...brokers] });
  const { topics } = await admin.metadata({ topics: [topic] });
  await admin.close();
  return topics.get(topic)!.partitions[0]!.leader - 1;
}

let groups = 0;

function openConsumer(brokers: readonly string[]): Consumer {
  const groupId = `test-${(groups += 1)}`;
  return new Consumer({ clientId: "test", bootstrapBrokers: [...brokers], groupId });
}

async function endOf(consumer: Consumer, topic: string): Promise<number> {
  const ends = (await consumer.listOffsets({ topics: [topic] })).get(topic) ?? [];
  return Number(ends.reduce((sum, end) => sum + end, 0n));
}

async function countOf(brokers: readonly string[], topic: string): Promise<number> {
  const consumer = openConsumer(brokers);
  const count = await endOf(consumer, topic);
  await consumer.close(true);
  return count;
}

/** Resolves to all messages of a topic. */
export async function messagesOf(
  brokers: readonly string[],
  topic: string,
): Promise<ConsumedMessage[]> {
  const consumer = openConsumer(brokers);
  const count = await endOf(consumer, topic);
  const messages: ConsumedMessage[] = [];
  if (count > 0) {
    const stream = await consumer.consume({ topics: [topic], mode: "earliest", autocommit: false });
    for await (const message of stream) {
      messages.push(message);
      if (messages.length === count) break;
    }
  }
  await consumer.close(true);
  return messages;
}

const jwtPart = (content: object): string =>
  Buffer.from(JSON.stringify(content)).toString("base64url");

/** Returns a token without a signature, which these brokers accept. */
export function tokenOf(subject: string): string {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const claims = { sub: subject, iat: nowSeconds - 60, exp: nowSeconds + 3_600 };
  return `${jwtPart({ alg: "none" })}.${jwtPart(claims)}.`;
}
