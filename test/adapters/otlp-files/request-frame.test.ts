import { expect, test } from "bun:test";
import { readRequests } from "../../../src/adapters/otlp-files/read-requests.ts";
import { frameRequest } from "../../../src/adapters/otlp-files/request-frame.ts";
import { otlpJson } from "../../../src/adapters/otlp/otlp-json.ts";
import { chunksOf, lengthDelimited } from "../../support/byte-chunks.ts";
import { requestOf } from "../../support/request-bytes.ts";

const REQUEST = requestOf(2);

test("a request of a JSON file is one line", () => {
  expect(Buffer.from(frameRequest(REQUEST, "json")).toString()).toBe(`${otlpJson(REQUEST)}\n`);
});

test("a request of a protobuf file stands behind its length, byte for byte", () => {
  const framed = Buffer.from(frameRequest(REQUEST, "proto"));

  expect(framed.equals(Buffer.from(lengthDelimited(REQUEST)))).toBe(true);
});

test.each(["json", "proto"] as const)(
  "frames of %s, one behind another, are read",
  async (format) => {
    const file = Buffer.concat([2, 0, 3].map((count) => frameRequest(requestOf(count), format)));

    const items = await Array.fromAsync(readRequests(chunksOf(file, 7)));

    expect(items).toMatchObject([{ spanCount: 2 }, { spanCount: 0 }, { spanCount: 3 }]);
  },
);
