import { afterEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { openTopic } from "../../../src/adapters/forward/open-topic.ts";
import { forwardConfig } from "../../support/fakes/forward-config.ts";
import { never } from "../../support/requests/span-batch.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";
import { startKafkaBroker } from "../../support/upstreams/kafka-broker.ts";
import { logPartition } from "../../support/upstreams/kafka-log.ts";

const folder = temporaryFolder();

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function fileOf(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const USER = fileOf("user", "edge");

/** Opens the topic of a broker that knows the user `edge` with the password `hunter2`. */
async function open(password: string) {
  const bytes = "\0edge\0hunter2";
  const broker = await startKafkaBroker({
    log: { partitions: [logPartition([{ value: Uint8Array.of(7), unixMs: 1 }])] },
    sasl: { mechanism: "PLAIN", bytes, refusal: `not ${password}` },
  });
  ends.push(() => broker.stop());
  const forward = forwardConfig({
    FORWARD_ENDPOINT: `kafka://127.0.0.1:${broker.port}/spans`,
    FORWARD_SASL_MECHANISM: "PLAIN",
    FORWARD_SASL_USERNAME_FILE: USER,
    FORWARD_SASL_PASSWORD_FILE: fileOf("password", password),
  });
  const opening = await openTopic(forward, SYSTEM_CLOCK);
  if (!opening.ok) throw new Error("the files are right");
  ends.push(() => opening.source.close());
  return opening.source;
}

const ALL = { sinceUnixMs: 0, follows: false };

test("a topic is read with the credentials of the files", async () => {
  const source = await open("hunter2");

  const items = await Array.fromAsync(await source.read(ALL, never));

  expect(items).toEqual([{ partition: 0, offset: 0n, value: Buffer.of(7) }]);
});

test("a refusal of the credentials does not show them", async () => {
  const source = await open("wrong-guess");

  await expect(source.read(ALL, never)).rejects.toMatchObject({
    message: "SASL_AUTHENTICATION_FAILED (topic spans): not ***",
  });
});

test("a file that cannot be read is a mistake, and no broker is asked", async () => {
  const forward = forwardConfig({
    FORWARD_ENDPOINT: "kafkas://127.0.0.1:1/spans",
    FORWARD_TLS_CA_FILE: join(folder, "missing"),
  });

  const opening = await openTopic(forward, SYSTEM_CLOCK);

  expect(opening).toMatchObject({ ok: false, mistakes: [{ variable: "FORWARD_TLS_CA_FILE" }] });
});
