import { expect, test } from "bun:test";
import { connect } from "node:net";
import { RequestTurns } from "../../../src/adapters/otlp-http/request-turns.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import { runOtlpHttp, stopOtlpHttpAfterEach } from "../../support/running/running-otlp-http.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

stopOtlpHttpAfterEach();

const FLOOD = 5_000;
const REQUEST = "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";

test("96 requests of one turn begin at once, and later ones in the next turn", async () => {
  const turns = new RequestTurns();

  const first = Array.from({ length: 97 }, () => turns.next());
  await first.at(-1);

  expect(first.slice(0, 96).filter((turn) => turn !== undefined)).toEqual([]);
  expect(first[96]).toBeInstanceOf(Promise);
  expect(turns.next()).toBeUndefined();
});

test("requests that wait for one turn share the wait, and not with those of the next", async () => {
  const turns = new RequestTurns();
  const [one, other] = Array.from({ length: 98 }, () => turns.next()).slice(-2);
  await one;

  const later = Array.from({ length: 97 }, () => turns.next()).at(-1);

  expect(other).toBe(one);
  expect(later).not.toBe(one);
});

test("65 requests of one turn begin at once after 31 turns with one", async () => {
  const turns = new RequestTurns();
  for (let turn = 0; turn < 31; turn += 1) {
    turns.next();
    await new Promise((resolve) => void setImmediate(resolve));
  }

  const next = Array.from({ length: 66 }, () => turns.next());

  expect(next.slice(0, 65).filter((turn) => turn !== undefined)).toEqual([]);
  expect(next[65]).toBeInstanceOf(Promise);
});

test("a connection that pipelines thousands of requests is closed, and recorded", async () => {
  const { listener, problems } = runOtlpHttp();
  const socket = connect({ port: listener.port, host: "127.0.0.1" });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  let answers = 0;
  socket.on("error", () => {});
  socket.on("data", (bytes) => void (answers += bytes.toString().split("HTTP/1.1 404").length - 1));

  socket.write(REQUEST.repeat(FLOOD));
  await closed;

  while (countsOf(problems).incomplete === undefined) await nextTurn();
  expect(answers).toBeLessThan(FLOOD);
  expect(countsOf(problems)).toMatchObject({ incomplete: 1 });
});

test("a few pipelined requests are all answered", async () => {
  const { listener } = runOtlpHttp();
  const socket = connect({ port: listener.port, host: "127.0.0.1" });
  let received = "";

  socket.write(REQUEST.repeat(20));
  await new Promise<void>((resolve) => {
    socket.on("data", (bytes) => {
      received += bytes.toString();
      if (received.split("HTTP/1.1 404").length === 21) resolve();
    });
  });
  socket.destroy();

  expect(received.split("HTTP/1.1 404")).toHaveLength(21);
});
