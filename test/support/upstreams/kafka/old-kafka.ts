import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "./free-ports.ts";

const TOOLS = join(import.meta.dir, "../../../../.tools");

/** Whether scripts/kafka could fetch the old versions. */
export const HAS_OLD_KAFKA = ["oldest", "too-old"].every((version) =>
  existsSync(join(TOOLS, `kafka-${version}`, "installed.xml")),
);

/** A broker of Apache Kafka that keeps its state in ZooKeeper. */
export interface OldKafka extends AsyncDisposable {
  readonly address: string;
  createTopic(name: string): Promise<void>;
}

/** Starts an old version from its jars. It may not answer yet. */
export async function startOldKafka(
  version: "oldest" | "too-old",
  folder: string,
): Promise<OldKafka> {
  const [keeper, port] = (await freePorts(2)) as [number, number];
  const fileOf = (name: string, lines: readonly string[]): string => {
    const file = join(folder, `${version}-${name}.properties`);
    writeFileSync(file, `${lines.join("\n")}\n`);
    return file;
  };
  const keeping = fileOf("zookeeper", [
    `dataDir=${join(folder, `${version}-zookeeper`)}`,
    `clientPort=${keeper}`,
    "clientPortAddress=127.0.0.1",
  ]);
  const serving = fileOf("server", [
    `listeners=PLAINTEXT://127.0.0.1:${port}`,
    `zookeeper.connect=127.0.0.1:${keeper}`,
    `log.dirs=${join(folder, `${version}-data`)}`,
    "auto.create.topics.enable=false",
    "offsets.topic.replication.factor=1",
    "offsets.topic.num.partitions=1",
    "log.cleaner.enable=false",
    "group.initial.rebalance.delay.ms=0",
  ]);
  const run = (main: string, ...rest: string[]) => {
    const command = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", jarsOf(version), main];
    const quiet = { stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const;
    return Bun.spawn([...command, ...rest], quiet);
  };
  const running = [
    run("org.apache.zookeeper.server.quorum.QuorumPeerMain", keeping),
    run("kafka.Kafka", serving),
  ];
  const place = ["--zookeeper", `127.0.0.1:${keeper}`, "--partitions", "1"];
  const creation = [...place, "--replication-factor", "1", "--create", "--topic"];
  return {
    address: `127.0.0.1:${port}`,
    createTopic: async (name) => {
      const create = () => run("kafka.admin.TopicCommand", ...creation, name).exited;
      // Until the broker has joined, no replica can be placed.
      while ((await create()) !== 0);
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of running) child.kill("SIGKILL");
      await Promise.all(running.map((child) => child.exited));
    },
  };
}

function jarsOf(version: string): string {
  return join(TOOLS, `kafka-${version}`, "jars", "*");
}
