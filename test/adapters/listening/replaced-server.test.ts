import { afterEach, describe, expect, mock, spyOn, test } from "bun:test";
import * as fs from "node:fs";
import { HANDOVER_MS, ServedPort } from "../../../src/adapters/listening/served-port.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";

// Goal: a port whose server is replaced keeps accepting connections, or does so again.

const running: ServedPort[] = [];
const ADDRESS = { host: "127.0.0.1", port: 0 };

afterEach(async () => {
  mock.restore();
  await Promise.all(running.splice(0).map((served) => served.abort()));
});

/** Answers with the number of the server. */
function serveInTurn() {
  const clock = new HandMovedClock();
  let count = 0;
  const serve = (port: number, reusePort: boolean) => {
    const answer = `server ${count + 1}`;
    const place = { hostname: "127.0.0.1", port, reusePort, development: false };
    const server = Bun.serve({ ...place, fetch: () => new Response(answer) });
    count += 1;
    return server;
  };
  const listensAgain = mock(() => {});
  const parts = { serve, address: ADDRESS, mayBreakOff: true, clock, listensAgain };
  const served = new ServedPort(parts);
  running.push(served);
  const url = `http://127.0.0.1:${served.port}`;
  const get = async () =>
    await fetch(url, { keepalive: false }).then(
      (answer) => answer.text(),
      (error: Error & { code?: string }) => error.code,
    );
  return { served, clock, get, listensAgain };
}

function denyDescriptors(): never {
  throw Object.assign(new Error("EMFILE"), { code: "EMFILE" });
}

describe.each([
  { name: "no file can be opened", fail: () => spyOn(fs, "openSync") },
  { name: "the new server cannot listen", fail: () => spyOn(Bun, "serve") },
])("when $name", ({ fail }) => {
  test("a server is replaced when the port resumes once more", async () => {
    const { served, get } = serveInTurn();
    served.hold();
    served.replace();

    const failing = fail().mockImplementation(denyDescriptors);
    const failure: unknown = await served.resume().catch((error: unknown) => error);
    failing.mockRestore();
    const before = await get();
    await served.resume();

    expect(failure).toMatchObject({ code: "EMFILE" });
    expect([before, await get()]).toEqual(["server 1", "server 2"]);
  });

  test("a server is replaced a little later", async () => {
    const { served, clock, get } = serveInTurn();
    const replace = () => served.replace();

    const failing = fail().mockImplementation(denyDescriptors);
    expect(replace).toThrow("EMFILE");
    clock.moveMs(HANDOVER_MS);
    failing.mockRestore();
    const before = await get();
    clock.moveMs(HANDOVER_MS);

    expect([before, await get()]).toEqual(["server 1", "server 2"]);
  });

  test("a change that had to wait is made a little later", async () => {
    const { served, clock, get } = serveInTurn();
    served.replace();
    served.replace();

    const failing = fail().mockImplementation(denyDescriptors);
    clock.moveMs(HANDOVER_MS);
    failing.mockRestore();
    const before = await get();
    clock.moveMs(HANDOVER_MS);

    expect([before, await get()]).toEqual(["server 2", "server 3"]);
  });
});

/** Hides the descriptor of the listening socket, as systems without `/proc` do. */
function serveWithoutHandover() {
  const hiding = spyOn(fs, "readdirSync").mockImplementation(() => []);
  const serving = serveInTurn();
  hiding.mockRestore();
  return serving;
}

/** Replaces a server by one that cannot listen. */
function failToReplace({ served }: ReturnType<typeof serveInTurn>) {
  const failing = spyOn(Bun, "serve").mockImplementation(denyDescriptors);
  expect(() => served.replace()).toThrow("EMFILE");
  return failing;
}

describe("where a port cannot be handed over", () => {
  test("a server is replaced at once", async () => {
    const { served, get, listensAgain } = serveWithoutHandover();

    served.replace();

    expect(await get()).toBe("server 2");
    expect(listensAgain).not.toHaveBeenCalled();
  });

  test("the port listens again as soon as it can, and says so once", async () => {
    const serving = serveWithoutHandover();
    const { clock, get, listensAgain } = serving;

    const failing = failToReplace(serving);
    clock.moveMs(3 * HANDOVER_MS);
    failing.mockRestore();
    const before = await get();
    clock.moveMs(HANDOVER_MS);
    const after = await get();
    clock.moveMs(HANDOVER_MS);

    expect([before, after]).toEqual(["ECONNREFUSED", "server 2"]);
    expect(listensAgain).toHaveBeenCalledTimes(1);
    expect(clock.pendingActions).toBe(0);
  });

  test("a port that is paused meanwhile stays closed until it is resumed", async () => {
    const serving = serveWithoutHandover();
    const { served, clock, get, listensAgain } = serving;

    failToReplace(serving).mockRestore();
    served.hold();
    served.replace();
    clock.moveMs(HANDOVER_MS);
    const paused = await get();
    await served.resume();

    expect([paused, await get()]).toEqual(["ECONNREFUSED", "server 2"]);
    expect(listensAgain).not.toHaveBeenCalled();
  });

  test("a port that is stopped meanwhile stays closed", async () => {
    const serving = serveWithoutHandover();
    const { served, clock, get } = serving;

    failToReplace(serving).mockRestore();
    await served.stop();
    clock.moveMs(HANDOVER_MS);

    expect(await get()).toBe("ECONNREFUSED");
    expect(clock.pendingActions).toBe(0);
  });
});

test("a server that a resumed port has started is not replaced again", async () => {
  const { served, clock, get } = serveInTurn();
  served.pause();
  served.replace();

  await served.resume();
  clock.moveMs(HANDOVER_MS);

  expect(await get()).toBe("server 2");
  expect(clock.pendingActions).toBe(0);
});

test("a server that a resumed port has started can be replaced", async () => {
  const { served, get } = serveInTurn();
  served.pause();
  await served.resume();

  served.replace();

  expect(await get()).toBe("server 3");
});

test("a stopped port makes no further attempts", async () => {
  const { served, clock } = serveInTurn();
  const replace = () => served.replace();
  const failing = spyOn(Bun, "serve").mockImplementation(denyDescriptors);
  expect(replace).toThrow("EMFILE");
  expect(replace).toThrow("EMFILE");
  failing.mockRestore();

  await served.stop();

  expect(clock.pendingActions).toBe(0);
});
