import { expect, test } from "bun:test";
import { requestOf } from "../../support/request-bytes.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running-read-api.ts";

stopReadApisAfterEach();

test("of too many different filters, the last is told what would be better", async () => {
  const run = runReadApi();
  const leaving = new AbortController();
  const waitings = Array.from({ length: 64 }, (_, index) =>
    run.request(`/api/wait?min_duration=${index + 1}ms&timeout=10m`, leaving).catch(() => {}),
  );
  await run.waiters(64);

  const refused = await run.request("/api/wait?min_duration=65ms&timeout=10m");
  const named = await run.request("/api/wait?min_duration=65ms&name=a&timeout=0s");
  leaving.abort();
  await Promise.all(waitings);

  expect([refused.status, named.status]).toEqual([503, 408]);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({
    detail: expect.stringMatching(
      /^64 other filters .* ask for a name, an attribute or a trace_id/,
    ),
  });
});

test("of more traces than can be followed, it is told", async () => {
  const run = runReadApi({ maxFollowedTraces: 2 });
  run.put(requestOf(3));

  const refused = await run.request("/api/wait?trace_complete=true&timeout=10m");
  const narrow = await run.request("/api/wait?trace_complete=true&name=span+1&timeout=10m");

  expect([refused.status, narrow.status]).toEqual([503, 200]);
  expect(await refused.json()).toMatchObject({
    detail: expect.stringMatching(/^more traces .* ask for a filter that fewer spans match$/),
  });
});
