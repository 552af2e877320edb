import { expect, test } from "bun:test";
import { runReadApi, stopReadApisAfterEach } from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

const aDuration = "it must be a duration from 0s to 10m, such as 250ms or 1.5s";
const aNumber = (least: number, most: number) =>
  `it must be a whole number from ${least} to ${most}`;
const A_CURSOR =
  "it must be a sequence, such as 17, or a run id and a sequence, such as 3f9a0c5e7b21d804-17";
const known =
  "service, text, name, name_contains, name_matches, trace_id, span_id, links_to, kind, " +
  "status, attribute, attribute_exists, attribute_matches, attribute_number, " +
  "min_duration, max_duration, since, until";

test.each([
  {
    ask: "/api/spans?kind=web",
    parameter: "kind",
    detail:
      'kind is "web"; it must be one of unspecified, internal, server, client, producer, ' +
      "consumer, or a number from 0 to 5",
  },
  {
    ask: "/api/traces?status=bad",
    parameter: "status",
    detail: 'status is "bad"; it must be one of unset, ok, error, or a number from 0 to 2',
  },
  {
    ask: "/api/wait?trace_id=abc",
    parameter: "trace_id",
    detail: 'trace_id is "abc"; it must be 32 hex digits',
  },
  {
    ask: "/api/tail?attribute=key",
    parameter: "attribute",
    detail: 'attribute is "key"; it must be key=value, with a key that is not empty',
  },
  {
    ask: "/api/spans?after=-1",
    parameter: "after",
    detail: `after is "-1"; ${A_CURSOR}`,
  },
  {
    ask: "/api/tail?after=x",
    parameter: "after",
    detail: `after is "x"; ${A_CURSOR}`,
  },
  {
    ask: "/api/spans?order=random",
    parameter: "order",
    detail: 'order is "random"; it must be oldest or newest',
  },
  {
    ask: "/api/traces?order=Newest",
    parameter: "order",
    detail: 'order is "Newest"; it must be newest or oldest',
  },
  {
    ask: "/api/traces?limit=10001",
    parameter: "limit",
    detail: `limit is "10001"; ${aNumber(1, 10_000)}`,
  },
  {
    ask: "/api/traces/%0a",
    parameter: "trace_id",
    detail: 'trace_id is "%0a"; it must be 32 hex digits',
  },
  {
    ask: "/api/traces/ab070707070707070707070700000001?limit=1",
    parameter: "limit",
    detail: 'unknown parameter "limit"; this path has no parameters',
  },
  {
    ask: "/api/traces/ab070707070707070707070700000001?trace_id=1",
    parameter: "trace_id",
    detail: 'unknown parameter "trace_id"; this path has no parameters',
  },
  {
    ask: "/api/spans?filter=a",
    parameter: "filter",
    detail: `unknown parameter "filter"; known: ${known}, after, limit, order`,
  },
  {
    ask: "/api/spans?name=a&name=b",
    parameter: "name",
    detail: "name is given more than once",
  },
  {
    ask: "/api/wait?count=10001",
    parameter: "count",
    detail: `count is "10001"; ${aNumber(0, 10_000)}`,
  },
  {
    ask: "/api/wait?count=0",
    parameter: "count",
    detail:
      'count is "0"; it must be a whole number from 1 to 10000, or 0 together with absent=true',
  },
  {
    ask: "/api/wait?absent=true&count=2",
    parameter: "count",
    detail: 'count is "2"; with absent=true it must be 0 or omitted',
  },
  {
    ask: "/api/wait?absent=true&trace_complete=true",
    parameter: "trace_complete",
    detail: "absent=true and trace_complete=true exclude each other; omit one of them",
  },
  {
    ask: "/api/wait?quiet=1s",
    parameter: "quiet",
    detail: "quiet has an effect only with trace_complete=true",
  },
  {
    ask: "/api/wait?absent=1",
    parameter: "absent",
    detail: 'absent is "1"; it must be true or false',
  },
  {
    ask: "/api/wait?absent=__proto__",
    parameter: "absent",
    detail: 'absent is "__proto__"; it must be true or false',
  },
  {
    ask: "/api/wait?timeout=10",
    parameter: "timeout",
    detail: `timeout is "10"; ${aDuration}`,
  },
  {
    ask: "/api/wait?timeout=601s",
    parameter: "timeout",
    detail: `timeout is "601s"; ${aDuration}`,
  },
  {
    ask: "/api/wait?trace_complete=true&quiet=-1s",
    parameter: "quiet",
    detail: `quiet is "-1s"; ${aDuration}`,
  },
])("$ask is answered with 400, which names $parameter", async ({ ask, parameter, detail }) => {
  const { request } = runReadApi();

  const response = await request(ask);

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ parameter, detail });
});

test("the first of several mistakes is reported", async () => {
  const { request } = runReadApi();

  const response = await request("/api/spans?limit=1&kind=web&after=x&status=bad");

  expect(await response.json()).toMatchObject({ parameter: "kind" });
});
