import { expect, test } from "bun:test";
import { SeededRandom } from "../support/disk/seeded-random.ts";
import { fuzzRuns } from "../support/running/fuzz-runs.ts";
import { fuzzStreams } from "./stream-fuzz.ts";
import { byteStream } from "./streams/byte-streams.ts";

test("random byte streams leave the program alive, responsive and balanced", async () => {
  const streams = fuzzRuns(500);

  const { sent, findings } = await fuzzStreams({ seed: 1, streams });

  expect(findings).toEqual([]);
  expect(sent).toBe(streams);
});

test("streams cover every listener and both versions of HTTP, and seeds repeat them", () => {
  const streams = Array.from({ length: 200 }, (_, seed) => byteStream(new SeededRandom(seed)));

  expect(new Set(streams.map(({ listener }) => listener))).toEqual(
    new Set(["grpc", "http", "api"] as const),
  );
  const starts = streams.map(({ bytes }) => Buffer.from(bytes).toString("latin1").slice(0, 4));
  expect(starts).toContain("PRI ");
  expect(starts).toContain("POST");
  expect(starts).toContain("GET ");
  expect(byteStream(new SeededRandom(9))).toEqual(streams[9]!);
});
