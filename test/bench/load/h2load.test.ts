import { expect, test } from "bun:test";
import { CannotRunError } from "../bench-case.ts";
import { readOutcome } from "./h2load.ts";

const OUTPUT = `
starting benchmark...
progress: 100% done

finished in 2.01s, 1234.56 req/s, 12.30MB/s
requests: 2480 total, 2480 started, 2480 done, 2479 succeeded, 1 failed, 0 errored, 0 timeout
status codes: 2479 2xx, 0 3xx, 0 4xx, 1 5xx
traffic: 24.9MB (26109440) total, 155.61KB (159344) headers (space savings 94.43%)
`;

test("the outcome of a load is parsed from the output of h2load", () => {
  expect(readOutcome(OUTPUT)).toEqual({
    requests: 2480,
    succeeded: 2479,
    requestsPerSecond: 1234.56,
  });
});

test("unexpected output of h2load is reported unchanged", () => {
  expect(() => readOutcome("segmentation fault")).toThrow(CannotRunError);
  expect(() => readOutcome("segmentation fault")).toThrow("segmentation fault");
});
