import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import {
  acceptsToken,
  hashLine,
  newToken,
  parseTokens,
} from "../../../src/adapters/listening/token-list.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { tokenList as listOf } from "../../support/fakes/opened-gate.ts";

function boundOf(...lines: string[]): string {
  const tokens = parseTokens(Buffer.from(lines.join("\n")));
  return "bound" in tokens ? tokens.bound : "";
}

const HASH_OF_ONE = `sha256:${createHash("sha256").update("one").digest("hex")}`;

describe("a list accepts", () => {
  test.each([
    { name: "a plain token", lines: ["one"] },
    { name: "a token stored as a hash", lines: [HASH_OF_ONE] },
    { name: "a hash in capital letters", lines: [HASH_OF_ONE.toUpperCase()] },
    { name: "the last of several tokens", lines: ["two", "three", "one"] },
    { name: "the first of several tokens", lines: ["one", "two"] },
    { name: "a token between comments and empty lines", lines: ["# of CI", "", "one", "", "# x"] },
    { name: "a token with spaces around it and a Windows line end", lines: [" one \r", ""] },
    { name: "a token after a byte order mark", lines: ["\u{feff}one"] },
  ])("$name", ({ lines }) => {
    expect(acceptsToken(listOf(...lines), "one")).toBe(true);
  });
});

describe("a list does not accept", () => {
  test.each([
    { name: "another token", lines: ["two"] },
    { name: "the beginning of a token", lines: ["one-and-more"] },
    { name: "a token in other letters", lines: ["ONE"] },
    { name: "a token in a comment", lines: ["# one", "#one", "two"] },
  ])("$name", ({ lines }) => {
    expect(acceptsToken(listOf(...lines), "one")).toBe(false);
  });

  test("the hash itself, because a stolen file must not open the door", () => {
    const list = listOf(HASH_OF_ONE);

    expect(acceptsToken(list, HASH_OF_ONE)).toBe(false);
    expect(acceptsToken(list, HASH_OF_ONE.slice("sha256:".length))).toBe(false);
  });

  test("an empty token", () => {
    expect(acceptsToken(listOf("one"), "")).toBe(false);
  });
});

test.each([
  { lines: [""], bound: "a file with at least one token" },
  { lines: ["# one", "  "], bound: "a file with at least one token" },
  { lines: Array.from({ length: 1_001 }, (_, at) => `t${at}`), bound: "a file of at most 1000" },
  { lines: ["one", "", "two words"], bound: "line 3 has spaces" },
  { lines: ["gr\u{fc}n"], bound: "line 1 has spaces or characters that are not ASCII" },
  { lines: ["x".repeat(4_097)], bound: "line 1" },
  { lines: ["one", `${HASH_OF_ONE}0`], bound: "line 2 is not sha256: and 64 hexadecimal digits" },
  { lines: ["sha256:one"], bound: "line 1 is not sha256: and 64 hexadecimal digits" },
])("a file of $lines.length lines must be $bound", ({ lines, bound }) => {
  expect(boundOf(...lines)).toContain(bound);
});

test("a mistake does not show the line", () => {
  expect(boundOf("hunter2 hunter2", "sha256:hunter2")).not.toContain("hunter2");
});

test("a list knows whether its file holds a plain token", () => {
  const lists = [[HASH_OF_ONE], [HASH_OF_ONE, "two"], ["two"]].map((lines) => listOf(...lines));

  expect(lists.map(({ hasPlainToken }) => hasPlainToken)).toEqual([false, true, true]);
});

test.each(["one", "two", "three", "four"])("%s is compared with every token of a list", (token) => {
  const { hashes, hasPlainToken } = listOf("one", "two", "three");
  let comparedCount = 0;
  const counted = new Proxy(hashes, {
    get: (target, member) => {
      if (/^\d+$/.test(String(member))) comparedCount += 1;
      return Reflect.get(target, member) as unknown;
    },
  });
  acceptsToken({ hashes: counted, hasPlainToken }, token);

  expect(comparedCount).toBe(3);
});

test("a list keeps no plain token", () => {
  expect(JSON.stringify(listOf("hunter2"))).not.toContain("hunter2");
  expect(Bun.inspect(listOf("hunter2"))).not.toContain("hunter2");
});

test("a new token has 256 bits, and differs from any other", () => {
  const [one, other] = [newToken(), newToken()];

  expect(one).toMatch(/^[\w-]{43}$/);
  expect(other).not.toBe(one);
});

test("the hash line of a token stands for it", () => {
  const token = newToken();

  expect(hashLine("one")).toBe(HASH_OF_ONE);
  expect(acceptsToken(listOf(hashLine(token)), token)).toBe(true);
});

const tokenText = fc.stringMatching(/^[!-~]{1,40}$/).filter((text) => !/^(#|sha256:)/i.test(text));

test("any bytes are a list or a mistake that shows none of their lines", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string().map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(bytes, (file) => {
      const parsed = parseTokens(Buffer.from(file));
      const bound = "bound" in parsed ? parsed.bound : "";
      const words = Buffer.from(file)
        .toString()
        .split(/\s+/)
        .filter((word) => word.length > 12);
      expect(words.filter((word) => bound.includes(word))).toEqual([]);
    }),
    { numRuns: fuzzRuns(300) },
  );
});

test("a list accepts its tokens, in either form, and no others", () => {
  const entry = fc.record({ token: tokenText, isHashed: fc.boolean() });
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 8 }), tokenText, (entries, other) => {
      const list = listOf(
        ...entries.map(({ token, isHashed }) => (isHashed ? hashLine(token) : token)),
      );
      const tokens = entries.map(({ token }) => token);
      expect(tokens.every((token) => acceptsToken(list, token))).toBe(true);
      expect(acceptsToken(list, other)).toBe(tokens.includes(other));
    }),
    { numRuns: fuzzRuns(300) },
  );
});
