import { expect, test } from "bun:test";
import { greetPerson } from "../../../src/adapters/cli/greet-person.ts";
import { readConfig } from "../../../src/config/config.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { nextTurn, searchedRing } from "../../support/running/searched-ring.ts";

const PORTS = { grpc: 4317, http: 4318, api: 4319 };

function greet(capacity?: { spans: number; bytes: number }) {
  const ring = searchedRing(capacity);
  const reading = readConfig({});
  const config = reading.ok ? reading.config : reading.rest;
  const written: string[] = [];
  const stream = { write: (text: string) => void written.push(text), isTerminal: true, env: {} };
  return {
    ...ring,
    written,
    begin: () => greetPerson({ ...ring, version: "1.2.3", config, ports: PORTS }, stream),
  };
}

test("a person is greeted, and the first new span is announced once", async () => {
  const { arrive, begin, written } = greet();
  arrive(requestOf(1, 7));

  begin();
  arrive(requestOf(2, 1));
  await nextTurn();
  arrive(requestOf(1, 3));
  await nextTurn();

  const texts = written.map((text) => Bun.stripANSI(text));
  expect(texts).toHaveLength(2);
  expect(texts[0]).toStartWith("spanring 1.2.3 is listening\n");
  expect(texts[1]).toBe("first span received: span 1 of shop\n");
});

test("a first span that has already left is announced without its name", async () => {
  const { arrive, begin, written } = greet({ spans: 2, bytes: 1 << 20 });

  begin();
  arrive(requestOf(3));
  await nextTurn();

  expect(written.at(-1)).toBe("first span received\n");
});
