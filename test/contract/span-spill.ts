import { describe, expect, test } from "bun:test";
import type { SpanSpill, SpillFault, SpilledRequest } from "../../src/ports/span-sink.ts";
import { requestOf } from "../support/requests/request-bytes.ts";

// The contract of every spill. Each test starts with an empty one.

const REQUESTS = [requestOf(2), requestOf(1, 3), requestOf(3, 4)];

export async function contentsOf(spill: SpanSpill): Promise<(SpilledRequest | SpillFault)[]> {
  const items: (SpilledRequest | SpillFault)[] = [];
  for await (const item of spill.read()) items.push(item);
  return items;
}

/** Returns the requests in hexadecimal, which a failed test can show. */
async function requestsIn(spill: SpanSpill): Promise<string[]> {
  const items = await contentsOf(spill);
  return items.map((item) => ("fault" in item ? item.fault : item.bytes.toHex()));
}

/** Yields all requests except the first few. */
async function* readOf(spill: SpanSpill, skipped: number): AsyncGenerator<Uint8Array> {
  for (const item of (await contentsOf(spill)).slice(skipped)) {
    if ("bytes" in item) yield item.bytes;
  }
}

export function describeSpanSpill(name: string, create: () => SpanSpill): void {
  describe(`${name}, as a spill`, () => {
    test("is empty, and can be removed, before anything was written", async () => {
      const spill = create();

      await spill.remove();

      expect(await contentsOf(spill)).toEqual([]);
    });

    test("a trial leaves nothing behind and removes nothing", async () => {
      const spill = create();

      await spill.tryOut();
      const empty = await requestsIn(spill);
      await spill.write([requestOf(1)]);
      await spill.tryOut();

      expect([empty, await requestsIn(spill)]).toEqual([[], [requestOf(1).toHex()]]);
    });

    test("returns the written requests on every read", async () => {
      const spill = create();

      const path = await spill.write(REQUESTS);

      const all = REQUESTS.map((request) => request.toHex());
      expect(path).toBe(spill.shownPath);
      expect([await requestsIn(spill), await requestsIn(spill)]).toEqual([all, all]);
      expect(
        (await contentsOf(spill)).map((item) => "spanCount" in item && item.spanCount),
      ).toEqual([2, 1, 3]);
    });

    test("does not use a request after it has requested the next one", async () => {
      const spill = create();
      const lent = requestOf(2);

      await spill.write(
        (function* () {
          yield lent;
          lent.fill(0xee);
        })(),
      );

      expect(await requestsIn(spill)).toEqual([requestOf(2).toHex()]);
    });

    test("is empty once it is removed", async () => {
      const spill = create();
      await spill.write(REQUESTS);

      await spill.remove();

      expect(await contentsOf(spill)).toEqual([]);
    });

    test("does not return requests that were set aside, each to another path", async () => {
      const spill = create();

      await spill.write(REQUESTS);
      const first = await spill.setAside();
      await spill.write(REQUESTS);
      const second = await spill.setAside();

      expect(await contentsOf(spill)).toEqual([]);
      expect(new Set([spill.shownPath, first, second]).size).toBe(3);
    });

    test("writes more requests to another path, without changing the stored ones", async () => {
      const spill = create();

      await spill.write([requestOf(1)]);
      const paths = [await spill.write([requestOf(2)]), await spill.write([requestOf(3)])];

      expect(await requestsIn(spill)).toEqual([requestOf(1).toHex()]);
      expect(new Set([spill.shownPath, ...paths]).size).toBe(3);
    });

    test("replaces its contents with requests read from it", async () => {
      const spill = create();
      await spill.write(REQUESTS);

      await spill.replace(readOf(spill, 1));

      expect(await requestsIn(spill)).toEqual(REQUESTS.slice(1).map((each) => each.toHex()));
    });

    test("writes to the same file after a replacement", async () => {
      const spill = create();
      await spill.write(REQUESTS);
      await spill.replace(readOf(spill, 2));

      const path = await spill.write([requestOf(2, 7)]);

      expect(path).toBe(spill.shownPath);
      expect(await requestsIn(spill)).toEqual([requestOf(2, 7).toHex(), REQUESTS[2]!.toHex()]);
    });

    test("keeps its contents if a replacement fails midway", async () => {
      const spill = create();
      await spill.write([requestOf(1)]);

      const replaced = spill.replace(
        (async function* () {
          yield requestOf(2);
          throw new Error("no more");
        })(),
      );

      await expect(replaced).rejects.toThrow("no more");
      expect(await requestsIn(spill)).toEqual([requestOf(1).toHex()]);
    });

    test("contains no part of a write that failed", async () => {
      const spill = create();

      const written = spill.write(
        (function* () {
          yield requestOf(1);
          throw new Error("no more");
        })(),
      );

      await expect(written).rejects.toThrow("no more");
      expect(await contentsOf(spill)).toEqual([]);
    });
  });
}
