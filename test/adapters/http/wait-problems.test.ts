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

test("of more traces than one wait can follow, it is told what would be better", async () => {
  const run = runReadApi({ spanCount: 0, capacity: { spans: 2_000, bytes: 2 ** 20 } });
  run.put(requestOf(1_025));
  const wait = "/api/wait?trace_complete=true&quiet=1ms";

  const refused = await run.request(`${wait}&count=2&timeout=20ms`);
  const narrow = await run.request(`${wait}&count=2&timeout=20ms&name=span+1`);
  const found = await run.request(`${wait}&timeout=10m`);

  expect([refused.status, narrow.status, found.status]).toEqual([503, 408, 200]);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({
    detail: expect.stringMatching(
      /^more than 1024 traces .* ask for a filter that fewer spans match$/,
    ),
  });
});

test("of more traces than all who wait can follow, it is told to come later", async () => {
  const run = runReadApi({ maxFollowedTraces: 1 });
  const leaving = new AbortController();
  const wait = "/api/wait?trace_complete=true&timeout=10m";
  const other = run.request(`${wait}&name=span+1&quiet=10m`, leaving).catch(() => {});
  await run.waiters(2);

  const refused = await run.request(`${wait}&name=span+2`);
  leaving.abort();
  await other;

  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({
    detail: expect.stringMatching(/^all who wait follow .* try again later$/),
  });
});
