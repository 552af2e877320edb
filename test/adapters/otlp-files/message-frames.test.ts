import { expect, test } from "bun:test";
import {
  readRequests,
  lengthDelimitedRequests,
} from "../../../src/adapters/otlp-files/read-requests.ts";
import { frameInSteps, frameRequest } from "../../../src/adapters/otlp-files/message-frames.ts";
import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import { chunksOf, lengthDelimited } from "../../support/requests/byte-chunks.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { openSource } from "../../../src/adapters/otlp-files/byte-source.ts";

const REQUEST = requestOf(2);

test("a request of a JSON file is one line", () => {
  expect(Buffer.from(frameRequest(REQUEST, "json")).toString()).toBe(`${otlpJson(REQUEST)}\n`);
});

test("a request of a protobuf file is its unchanged bytes after their length", () => {
  const framed = Buffer.from(frameRequest(REQUEST, "proto"));

  expect(framed.equals(Buffer.from(lengthDelimited(REQUEST)))).toBe(true);
});

test.each(["json", "proto"] as const)("consecutive frames of %s are read", async (format) => {
  const file = Buffer.concat([2, 0, 3].map((count) => frameRequest(requestOf(count), format)));

  const items = await Array.fromAsync(readRequests(chunksOf(file, 7)));

  expect(items).toMatchObject([{ spanCount: 2 }, { spanCount: 0 }, { spanCount: 3 }]);
});

test.each(["json", "proto"] as const)(
  "frameInSteps() writes %s like frameRequest()",
  async (format) => {
    for (const request of [requestOf(0), REQUEST, requestOf(3000)]) {
      const inSteps = Buffer.from(await frameInSteps(request, format));

      expect(inSteps.equals(frameRequest(request, format))).toBe(true);
    }
  },
);

test("other work runs while a large request is converted to JSON", async () => {
  let turns = 0;
  const counting = setInterval(() => void (turns += 1), 0);

  await frameInSteps(requestOf(20_000), "json");
  clearInterval(counting);

  expect(turns).toBeGreaterThan(1);
});

test("a request may be as long as the limit, but no longer", async () => {
  const request = requestOf(2);
  const read = async (maxBytes: number) => {
    const source = openSource(chunksOf(lengthDelimited(request), 7));
    return await Array.fromAsync(lengthDelimitedRequests(source, maxBytes));
  };

  const [within, beyond] = [await read(request.length), await read(request.length - 1)];

  const maxBytes = request.length - 1;
  expect(within).toMatchObject([{ spanCount: 2 }]);
  expect(beyond).toMatchObject([
    { fault: `a request of ${request.length} bytes; the maximum is ${maxBytes}`, first: 0 },
  ]);
});
