import { expect, test } from "bun:test";
import { join } from "node:path";

const SOURCES = join(import.meta.dir, "../../../src/adapters");

/** Counts the modules of the client that a program has loaded, before and after it loads Kafka. */
const COUNT = `
  const isOfClient = (path) => path.includes("@platformatic");
  const count = () => Object.keys(require.cache).filter(isOfClient).length;
  await import("${SOURCES}/cli/run-command.ts");
  await import("${SOURCES}/forward/open-sink.ts");
  await import("${SOURCES}/forward/open-topic.ts");
  const before = count();
  await import("${SOURCES}/forward/kafka-client.js");
  console.log(JSON.stringify([before, count() > 0]));
`;

test("the client of Kafka is not loaded with the code that may need it", async () => {
  const child = Bun.spawn([process.execPath, "-e", COUNT], { stdout: "pipe" });

  expect(await child.stdout.json()).toEqual([0, true]);
});
