import { afterEach, describe, expect, spyOn, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { AcceptHold } from "../../src/adapters/listening/accept-hold.ts";
import type { PausableListener } from "../../src/adapters/listening/descriptor-guard.ts";
import { EXPORT_PATH } from "../support/grpc/grpc-call.ts";
import { callHeaders, FLAG, frame, FRAME, messagePrefix } from "../support/grpc/grpc-wire.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../support/running/running-grpc-listener.ts";
import { runOtlpHttp, stopOtlpHttpAfterEach } from "../support/running/running-otlp-http.ts";
import { runReadApi, stopReadApisAfterEach } from "../support/running/running-read-api.ts";

// Goal: every listener can hold back connections, and pause, without losing those in use.
// Method: clients on kept and on new connections. Linux drops the first packets of a connection
// that is held back, so each such test takes the second after which they are sent again.

stopGrpcListenersAfterEach();
stopOtlpHttpAfterEach();
stopReadApisAfterEach();

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A client with one connection. */
interface Client {
  /** Resolves to "answered", or to "closed" if the connection is, or cannot be opened. */
  ask(): Promise<string>;
}

interface Subject {
  readonly listener: PausableListener;
  /** Opens another connection. */
  open(): Client;
}

async function grpc(): Promise<Subject> {
  const { listener, peer } = await runGrpcListener();
  const open = () => {
    const own = peer().greet();
    let streamId = -1;
    const ask = async () => {
      const id = (streamId += 2);
      const flags = FLAG.endHeaders;
      own.send(
        frame({ type: FRAME.headers, flags, streamId: id }, callHeaders(EXPORT_PATH)),
        frame({ type: FRAME.data, flags: FLAG.endStream, streamId: id }, messagePrefix(0)),
      );
      const answer = own.frame((received) => received.streamId === id);
      return await Promise.race([answer.then(() => "answered"), own.ended.then(() => "closed")]);
    };
    return { ask };
  };
  return { listener, open };
}

function overHttp1(listener: PausableListener & { readonly port: number }): Subject {
  const open = () => {
    const socket = connect(listener.port, "127.0.0.1").on("error", () => {});
    sockets.push(socket);
    const closed = new Promise<string>((resolve) => socket.once("close", () => resolve("closed")));
    const ask = async () => {
      const answered = new Promise<string>((resolve) => {
        socket.once("data", () => resolve("answered"));
      });
      socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
      return await Promise.race([closed, answered]);
    };
    return { ask };
  };
  return { listener, open };
}

const SUBJECTS = [
  { name: "OTLP/gRPC", start: grpc, afterClosing: "answered" },
  {
    name: "OTLP/HTTP",
    start: async () => overHttp1(runOtlpHttp().listener),
    // The servers of Bun close them: `canHold` is false on such a system.
    afterClosing: "closed",
  },
  {
    name: "the read API",
    start: async () => overHttp1(runReadApi().api),
    afterClosing: "answered",
  },
];

describe.each(SUBJECTS)("$name", ({ start, afterClosing }) => {
  test("serves its connections while it holds back new ones, and those afterwards", async () => {
    const { listener, open } = await start();
    const old = open();
    const events = [`old ${await old.ask()}`];

    listener.hold();
    const waiting = open()
      .ask()
      .then((answer) => events.push(`new ${answer}`));
    events.push(`old ${await old.ask()}`, `old ${await old.ask()}`, `old ${await old.ask()}`);
    await listener.resume();
    events.push("resumed");
    await waiting;

    const answered = "old answered";
    expect(events).toEqual([answered, answered, answered, answered, "resumed", "new answered"]);
    expect(listener.canHold).toBe(true);
  });

  test("may be told so twice", async () => {
    const { listener, open } = await start();

    listener.hold();
    listener.hold();
    await listener.resume();
    await listener.resume();

    expect(await open().ask()).toBe("answered");
  });

  test("can be paused while it holds back connections", async () => {
    const { listener, open } = await start();

    listener.hold();
    listener.pause();
    const paused = await open().ask();
    await listener.resume();

    expect([paused, await open().ask()]).toEqual(["closed", "answered"]);
  });

  test("refuses connections where it cannot hold them back", async () => {
    const { listener, open } = await start();
    using _ = spyOn(AcceptHold.prototype, "begin").mockReturnValue(false);
    const old = open();
    await old.ask();

    listener.hold();
    const refused = await open().ask();
    const kept = await old.ask();
    await listener.resume();

    expect([refused, kept, await open().ask()]).toEqual(["closed", afterClosing, "answered"]);
  });
});
