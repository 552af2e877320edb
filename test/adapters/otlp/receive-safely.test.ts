import { expect, test } from "bun:test";
import { receiveSafely } from "../../../src/adapters/otlp/receive-safely.ts";

const REQUEST = Uint8Array.of(1, 2, 3);

test("what the receiver says is handed on", () => {
  const seen: Uint8Array[] = [];
  const failures: unknown[] = [];
  const receiver = {
    receive: (request: Uint8Array) => {
      seen.push(request);
      return { outcome: "malformed" as const, message: "bad" };
    },
  };

  const receipt = receiveSafely(REQUEST, { receiver, failed: (error) => failures.push(error) });

  expect(receipt).toEqual({ outcome: "malformed", message: "bad" });
  expect(seen).toEqual([REQUEST]);
  expect(failures).toEqual([]);
});

test("what the receiver throws is told to us, and not to the sender", () => {
  const failures: unknown[] = [];
  const error = new Error("the lock is gone");
  const counted: string[] = [];
  const receiver = {
    receive: () => {
      throw error;
    },
    turnedAway: (outcome: string) => void counted.push(outcome),
  };

  const receipt = receiveSafely(REQUEST, { receiver, failed: (told) => failures.push(told) });

  expect(receipt.outcome).toBe("failed");
  expect(JSON.stringify(receipt)).not.toContain("lock");
  expect(failures).toEqual([error]);
  expect(counted).toEqual(["failed"]);
});
