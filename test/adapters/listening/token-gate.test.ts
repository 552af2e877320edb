import { describe, expect, test } from "bun:test";
import {
  type Caller,
  FORGET_AFTER_MS,
  FREE_FAILURES,
  MAX_DELAY_MS,
  MAX_FAILED_ADDRESSES,
  MAX_PASSED,
  MAX_PAUSES,
  type TokenRefusal,
} from "../../../src/adapters/listening/token-gate.ts";
import { openedGate, tokenList } from "../../support/fakes/opened-gate.ts";

function openGate(...lines: string[]) {
  const opened = openedGate(...lines);
  const refusalOf = (caller: Partial<Caller>) =>
    opened.gate.refusalOf({ ...NO_HEADERS, ...caller });
  return { ...opened, refusalOf };
}

const NO_HEADERS: Caller = {
  authorization: undefined,
  apiKey: null,
  address: "192.0.2.1",
  protocol: "grpc",
};

describe("a request passes with", () => {
  test.each<{ name: string; caller: Partial<Caller> }>([
    { name: "a bearer token", caller: { authorization: "Bearer one" } },
    { name: "a scheme in other letters", caller: { authorization: "bEARER one" } },
    { name: "several spaces after the scheme", caller: { authorization: "Bearer  one" } },
    { name: "an API key", caller: { apiKey: "one" } },
    {
      name: "an API key beside other credentials",
      caller: { authorization: "Basic x", apiKey: "one" },
    },
    {
      name: "an API key beside a wrong token",
      caller: { authorization: "Bearer x", apiKey: "one" },
    },
    {
      name: "a token beside a wrong API key",
      caller: { authorization: "Bearer one", apiKey: "x" },
    },
  ])("$name", ({ caller }) => {
    const { refusalOf, problems } = openGate("zero", "one");

    expect(refusalOf(caller)).toBeUndefined();
    expect(problems).toEqual([]);
  });
});

const NO_TOKEN = { challenge: "Bearer", detail: "without a token" };
const WRONG_TOKEN = {
  challenge: 'Bearer error="invalid_token"',
  detail: "with a token that is not accepted",
};

describe("a request is refused with", () => {
  test.each<{ name: string; caller: Partial<Caller>; expected: typeof NO_TOKEN }>([
    { name: "no header", caller: {}, expected: NO_TOKEN },
    { name: "empty headers", caller: { authorization: "", apiKey: "" }, expected: NO_TOKEN },
    { name: "another scheme", caller: { authorization: "Basic one" }, expected: NO_TOKEN },
    { name: "no scheme", caller: { authorization: "one" }, expected: NO_TOKEN },
    { name: "two tokens", caller: { authorization: "Bearer one, Bearer one" }, expected: NO_TOKEN },
    { name: "a wrong token", caller: { authorization: "Bearer two" }, expected: WRONG_TOKEN },
    { name: "a wrong API key", caller: { apiKey: "two" }, expected: WRONG_TOKEN },
    { name: "a scheme as API key", caller: { apiKey: "Bearer one" }, expected: WRONG_TOKEN },
  ])("$name", ({ caller, expected }) => {
    const { refusalOf, problems } = openGate("one");
    const refusal = refusalOf(caller);

    expect(refusal).toMatchObject({ challenge: expected.challenge, delayMs: 0 });
    expect(problems).toEqual([
      {
        protocol: "grpc",
        reason: "unauthenticated",
        address: "192.0.2.1",
        detail: expected.detail,
      },
    ]);
  });
});

test("neither the refusal nor the problem shows the token", () => {
  const { refusalOf, problems } = openGate("one");
  const refusal = refusalOf({ authorization: "Bearer hunter2", apiKey: "hunter2" });

  expect(JSON.stringify({ refusal, problems })).not.toContain("hunter2");
});

test("replaced tokens apply to the next request", () => {
  const { gate, refusalOf } = openGate("one");
  gate.use(tokenList("two"));

  expect(refusalOf({ apiKey: "one" })).toBeDefined();
  expect(refusalOf({ apiKey: "two" })).toBeUndefined();
});

test("a header that has passed is forgotten when the tokens are replaced", () => {
  const { gate, refusalOf } = openGate("one", "two");
  const before = [
    refusalOf({ authorization: "Bearer one" }),
    refusalOf({ authorization: "Bearer one" }),
  ];
  gate.use(tokenList("two"));

  expect(before).toEqual([undefined, undefined]);
  expect(refusalOf({ authorization: "Bearer one" })).toBeDefined();
});

test.each([
  { name: "an API key is no header of the other kind", passing: { apiKey: "one" } },
  {
    name: "a wrong token beside a valid key stays wrong",
    passing: { authorization: "Bearer two", apiKey: "one" },
  },
])("$name", ({ passing }) => {
  const { refusalOf } = openGate("one");
  refusalOf(passing);

  const others = ["one", "Bearer two"].map((authorization) => refusalOf({ authorization }));
  expect(others.map((refusal) => refusal === undefined)).toEqual([false, false]);
});

test("ever new spellings of a valid header take a bounded amount of memory", () => {
  const { gate } = openGate("one");
  const passed = (gate as unknown as { passed: Set<string> }).passed;
  for (let spaces = 1; spaces <= MAX_PASSED + 5; spaces += 1) {
    const authorization = `Bearer${" ".repeat(spaces)}one`;
    expect(gate.refusalOf({ ...NO_HEADERS, authorization })).toBeUndefined();
  }

  expect(passed.size).toBe(5);
});

function delaysOf(gate: ReturnType<typeof openGate>, address: string, count: number) {
  return Array.from({ length: count }, () => gate.refusalOf({ address })?.delayMs);
}

describe("failures of an address", () => {
  test("are answered at once at first, and then later and later", () => {
    const delays = delaysOf(openGate("one"), "a", FREE_FAILURES + 8);

    expect(delays.slice(0, FREE_FAILURES)).toEqual(Array(FREE_FAILURES).fill(0));
    expect(delays.slice(FREE_FAILURES)).toEqual([
      100,
      200,
      400,
      800,
      1600,
      3200,
      6400,
      MAX_DELAY_MS,
    ]);
  });

  test("stay at the longest delay, however many they are", () => {
    expect(delaysOf(openGate("one"), "a", 2_000).at(-1)).toBe(MAX_DELAY_MS);
  });

  test("do not delay other addresses", () => {
    const gate = openGate("one");
    delaysOf(gate, "a", 100);

    expect(delaysOf(gate, "b", 1)).toEqual([0]);
  });

  test("do not block a valid token from the same address", () => {
    const gate = openGate("one");
    delaysOf(gate, "a", 100);

    expect(gate.refusalOf({ address: "a", apiKey: "one" })).toBeUndefined();
  });

  test("are forgotten after a time without one, and not before", () => {
    const gate = openGate("one");
    delaysOf(gate, "a", 100);

    gate.clock.moveMs(FORGET_AFTER_MS);
    const before = delaysOf(gate, "a", 1);
    gate.clock.moveMs(FORGET_AFTER_MS + 1);

    expect([before, delaysOf(gate, "a", 1)]).toEqual([[MAX_DELAY_MS], [0]]);
  });

  test("are counted for a limited number of addresses, those of the last failures", () => {
    const gate = openGate("one");
    delaysOf(gate, "first", 100);
    delaysOf(gate, "second", 100);
    delaysOf(gate, "first", 1);

    for (let other = 0; other < MAX_FAILED_ADDRESSES - 1; other += 1) {
      delaysOf(gate, `other ${other}`, 1);
    }

    expect(delaysOf(gate, "first", 1)).toEqual([MAX_DELAY_MS]);
    expect(delaysOf(gate, "second", 1)).toEqual([0]);
  });
});

const LATE: TokenRefusal = { message: "", challenge: "", delayMs: 100 };

/** Reports which promises have been resolved. */
async function resolvedOf(promises: readonly Promise<void>[]): Promise<boolean[]> {
  const resolved = promises.map(() => false);
  promises.forEach((promise, at) => void promise.then(() => (resolved[at] = true)));
  await new Promise(setImmediate);
  return [...resolved];
}

describe("a pause", () => {
  test("ends when the refusal is due", async () => {
    const { gate, clock } = openGate("one");
    const pause = gate.pause(LATE);

    clock.moveMs(99);
    const early = await resolvedOf([pause]);
    clock.moveMs(1);

    expect([early, await resolvedOf([pause])]).toEqual([[false], [true]]);
  });

  test("is not made for a refusal without a delay", async () => {
    const { gate, clock } = openGate("one");
    await gate.pause({ ...LATE, delayMs: 0 });

    expect(clock.pendingActions).toBe(0);
  });

  test("is not made beyond the limit of pending ones", async () => {
    const { gate, clock } = openGate("one");
    const pauses = Array.from({ length: MAX_PAUSES + 1 }, () => gate.pause(LATE));
    const resolved = await resolvedOf(pauses);

    expect(resolved.lastIndexOf(true)).toBe(MAX_PAUSES);
    expect(resolved.indexOf(true)).toBe(MAX_PAUSES);
    clock.moveMs(100);
    await Promise.all(pauses);
    expect(await resolvedOf([gate.pause(LATE)])).toEqual([false]);
  });

  test("has no limit where another limit applies", async () => {
    const { gate, clock } = openGate("one");
    const pauses = Array.from({ length: MAX_PAUSES + 1 }, () => gate.pause(LATE, Infinity));

    expect(await resolvedOf(pauses)).not.toContain(true);
    clock.moveMs(100);
    expect(await resolvedOf(pauses)).not.toContain(false);
  });

  test("ends when the gate is closed, and none is made afterwards", async () => {
    const { gate, clock } = openGate("one");
    const pause = gate.pause(LATE);
    gate.close();

    await Promise.all([pause, gate.pause(LATE)]);
    expect(clock.pendingActions).toBe(0);
  });
});
