import { expect, test } from "bun:test";
import { describedRequests, SHOP } from "../../support/requests/described-spans.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

function shop() {
  const run = runReadApi({ spanCount: 0 });
  for (const request of describedRequests(SHOP)) run.put(request);
  return run;
}

function asking(text: string, rest = "&timeout=0s"): string {
  return `/api/wait?expect=${encodeURIComponent(text)}${rest}`;
}

test("an expectation that is met is answered with the spans found", async () => {
  const answer = await shop().request(asking("name=SELECT* under name='GET /orders'"));

  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({
    resourceSpans: [{ scopeSpans: [{ spans: [{ name: "SELECT orders" }] }] }],
  });
});

test("an expectation that is not met is answered with the nearest spans", async () => {
  const answer = await shop().request(asking("name=SELECT* under name='GET /order'"));

  expect(answer.status).toBe(417);
  expect(await answer.json()).toMatchObject({
    title: "Expectation Failed",
    detail: "the expectation is not met; 0 spans were found",
    found: 0,
    wrong: 0,
    uncertain: false,
    nearest: [
      {
        name: "SELECT orders",
        service: "db",
        count: 1,
        differences: [
          { condition: "under name='GET /order'", found: "under authorize, under GET /orders" },
        ],
      },
    ],
    spans: { resourceSpans: expect.arrayContaining([expect.anything()]) },
  });
});

test("a wait ends as soon as the missing span has arrived", async () => {
  const run = runReadApi({ spanCount: 0 });
  const [root, ...others] = describedRequests(SHOP);

  const waiting = run.request(asking("name=SELECT* under name='GET /orders'", "&timeout=10m"));
  await run.waiters(1);
  for (const request of [...others, root!]) run.put(request);

  expect((await waiting).status).toBe(200);
});

test("with hold, a span that breaks an expectation ends the wait", async () => {
  const run = runReadApi({ spanCount: 0 });

  const waiting = run.request(asking("no error anywhere", "&hold=true&timeout=10m"));
  await run.waiters(1);
  for (const request of describedRequests(SHOP)) run.put(request);

  expect((await waiting).status).toBe(417);
});

test("with hold, an expectation that nothing breaks is met at the end", async () => {
  const answer = await runReadApi({ spanCount: 0 }).request(
    asking("no error anywhere", "&hold=true&timeout=1ms"),
  );

  expect(answer.status).toBe(200);
});

test("spans that leave the buffer unchecked make an absence uncertain", async () => {
  const run = runReadApi({ spanCount: 0, capacity: { spans: 4, bytes: 1 << 16 } });

  const waiting = run.request(asking("name=no & count=0", "&hold=true&timeout=200ms"));
  await run.waiters(1);
  for (let first = 1; first < 50; first += 4) run.put(requestOf(4, first));

  const answer = await waiting;
  expect(answer.status).toBe(417);
  expect(await answer.json()).toMatchObject({
    uncertain: true,
    detail: expect.stringContaining("raise MAX_BUFFER_SIZE"),
  });
});

test.each([
  { query: "expect=nmae%3Dx", says: 'at column 1: unknown condition "nmae"' },
  { query: "expect=", says: "it must be an expectation that is not empty" },
  { query: "expect=count%3D0&name=x", says: "expect excludes filters, count, absent" },
  { query: "expect=count%3D0&count=2", says: "expect excludes filters, count, absent" },
  { query: "expect=count%3D0&absent=true", says: "expect excludes filters, count, absent" },
  { query: "hold=true", says: "hold has an effect only with expect" },
])("$query is refused: $says", async ({ query, says }) => {
  const answer = await runReadApi({ spanCount: 0 }).request(`/api/wait?${query}`);

  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ detail: expect.stringContaining(says) });
});

test("a wait for an expectation ends when the server stops", async () => {
  const run = runReadApi({ spanCount: 0 });

  const waiting = run.request(asking("name=x", "&timeout=10m"));
  await run.waiters(1);
  run.beginToStop();

  expect((await waiting).status).toBe(503);
});

test("a wait that could miss spans is refused, because too many others wait", async () => {
  const run = runReadApi({ spanCount: 0 });
  const leaving = new AbortController();
  const waitings = Array.from({ length: 64 }, (_, index) =>
    run.request(`/api/wait?min_duration=${index + 1}ms&timeout=10m`, leaving).catch(() => {}),
  );
  await run.waiters(64);

  const refused = await run.request(asking("name=x"));
  leaving.abort();
  await Promise.all(waitings);

  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("1");
});
