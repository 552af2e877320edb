import { expect, test } from "bun:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import {
  closed,
  fetchDescription,
  operationsOf,
} from "../../support/oracles/openapi-description.ts";
import { SHOWING_RECENT_PROBLEMS } from "../../support/fakes/recent-problems.ts";
import {
  attribute,
  request as requestBytes,
  resourceSpans,
  span,
  spanId,
} from "../../support/requests/request-bytes.ts";
import {
  rangeOf,
  runReadApi,
  stopReadApisAfterEach,
} from "../../support/running/running-read-api.ts";
import {
  bytesField,
  fixed32Field,
  fixed64Field,
  varintField,
} from "../../support/requests/wire-bytes.ts";

stopReadApisAfterEach();

// Goal: answers match the description. Method: each kind of answer is validated against its schema,
// which is closed first, so that answers cannot contain undescribed members.

const description = await fetchDescription();
const operations = operationsOf(description);

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: "api", ...closed(description) });

const EVERY_FIELD = [
  bytesField(3, "a=b"),
  bytesField(4, [1, 2, 3, 4, 5, 6, 7, 8]),
  varintField(6, 2),
  fixed64Field(7, 1_700_000_000_000_000_001n),
  fixed64Field(8, 2n ** 64n - 1n),
  bytesField(9, attribute("text", "value")),
  bytesField(9, bytesField(1, "flag"), bytesField(2, varintField(2, 1))),
  bytesField(9, bytesField(1, "int"), bytesField(2, varintField(3, 443))),
  bytesField(9, bytesField(1, "double"), bytesField(2, fixed64Field(4, 0x7ff8000000000000n))),
  bytesField(
    9,
    bytesField(1, "list"),
    bytesField(2, bytesField(5, bytesField(1, bytesField(1, "x")))),
  ),
  bytesField(
    9,
    bytesField(1, "map"),
    bytesField(2, bytesField(6, bytesField(1, attribute("k", "v")))),
  ),
  bytesField(9, bytesField(1, "bytes"), bytesField(2, bytesField(7, [1, 2]))),
  varintField(10, 4_294_967_295),
  bytesField(11, fixed64Field(1, 1n), bytesField(2, "event"), varintField(4, 1)),
  varintField(12, 2),
  bytesField(13, bytesField(1, Array<number>(16).fill(1)), bytesField(2, Array<number>(8).fill(2))),
  varintField(14, 3),
  bytesField(15, bytesField(2, "bad"), varintField(3, 2)),
  fixed32Field(16, 0x301),
];

const CHILD_OF_7 = [...bytesField(2, spanId(8)), ...bytesField(4, spanId(7))];

const NDJSON = "application/x-ndjson";
const PROBLEM = "application/problem+json";
const JSON_TYPE = "application/json";

const answers = [
  { ask: "GET /healthz", status: 200, type: JSON_TYPE },
  { ask: "GET /readyz", status: 200, type: JSON_TYPE },
  { ask: "GET /api/stats", status: 200, type: JSON_TYPE },
  { ask: "GET /api/stats?x=1", status: 400, type: PROBLEM },
  { ask: "GET /api/receivers", status: 200, type: JSON_TYPE },
  { ask: "GET /api/problems", status: 200, type: JSON_TYPE },
  { ask: "GET /api/problems?limit=1", status: 400, type: PROBLEM },
  { ask: "GET /api/spans", status: 200, type: JSON_TYPE },
  { ask: "GET /api/spans", status: 200, type: NDJSON },
  { ask: "GET /api/spans?kind=web", status: 400, type: PROBLEM },
  { ask: "GET /api/spans?after=9", status: 410, type: PROBLEM },
  { ask: "DELETE /api/spans", status: 200, type: JSON_TYPE },
  { ask: "POST /api/spans/take", status: 200, type: JSON_TYPE },
  { ask: "POST /api/spans/take", status: 200, type: NDJSON },
  { ask: "GET /api/traces", status: 200, type: JSON_TYPE },
  { ask: "GET /api/traces?after=a1-0", status: 410, type: PROBLEM },
  { ask: "GET /api/traces/ab070707070707070707070700000001", status: 200, type: JSON_TYPE },
  { ask: "GET /api/traces/ab070707070707070707070700000001", status: 200, type: NDJSON },
  { ask: "GET /api/traces/ab070707070707070707070700000099", status: 404, type: PROBLEM },
  { ask: "GET /api/services", status: 200, type: JSON_TYPE },
  { ask: "GET /api/operations", status: 200, type: JSON_TYPE },
  { ask: "GET /api/service-graph", status: 200, type: JSON_TYPE },
  { ask: "GET /api/wait", status: 200, type: JSON_TYPE },
  { ask: "GET /api/wait", status: 200, type: NDJSON },
  { ask: "GET /api/wait?count=9&timeout=0s", status: 408, type: PROBLEM },
  { ask: "GET /api/wait?name=x&timeout=0s", status: 408, type: PROBLEM },
  { ask: "GET /api/wait?trace_complete=true&count=9&timeout=0s", status: 408, type: PROBLEM },
  { ask: "GET /api/wait?absent=true", status: 409, type: PROBLEM },
  { ask: "GET /api/wait?expect=name%3Dx&timeout=0s", status: 417, type: PROBLEM },
  { ask: "GET /api/wait?after=9", status: 410, type: PROBLEM },
  { ask: "GET /api/tail?after=9", status: 410, type: PROBLEM },
  { ask: "GET /api/openapi.json", status: 200, type: JSON_TYPE },
];

test.each(answers)("the answer to $ask with $status in $type matches its schema", async (given) => {
  const { request, put } = runReadApi({ spanCount: 1, problems: SHOWING_RECENT_PROBLEMS });
  put(requestBytes(resourceSpans("shop", span(7, ...EVERY_FIELD))));
  put(requestBytes(resourceSpans("till", span(7, CHILD_OF_7))));
  const [method = "", path = ""] = given.ask.split(" ");

  const response = await request(path, { method, headers: accept(given) });

  const media = responseTo(method, path, given.status).content[given.type];
  expect(response.status).toBe(given.status);
  expect(response.headers.get("content-type")).toBe(given.type);
  expect(media).toBeDefined();
  const validate = ajv.compile({ $ref: `api${media!.schema!.$ref}` });
  for (const body of await bodiesOf(response)) {
    expect({ valid: validate(body), errors: validate.errors }).toEqual({
      valid: true,
      errors: null,
    });
  }
});

const READS_THE_BUFFER = / \/api\/(?!openapi|problems|receivers)/;

const bufferAnswers = answers.filter(({ ask, status }) => {
  return READS_THE_BUFFER.test(ask) && [200, 404, 408, 409, 410].includes(status);
});

test.each(bufferAnswers)(
  "the answer to $ask with $status in $type reports its range",
  async (given) => {
    const { request } = runReadApi({ spanCount: 2 });
    const [method = "", path = ""] = given.ask.split(" ");

    const response = await request(path, { method, headers: accept(given) });

    expect(rangeOf(response)).toEqual([expect.any(String), expect.any(String)]);
  },
);

test.each(answers)("the answer to $ask with $status has the described headers", async (given) => {
  const { request } = runReadApi({ spanCount: 1 });
  const [method = "", path = ""] = given.ask.split(" ");

  const response = await request(path, { method, headers: accept(given) });

  const described = Object.keys(responseTo(method, path, given.status).headers ?? {});
  const sent = [...response.headers.keys()].filter((name) => name.startsWith("spanring-"));
  expect(sent.toSorted()).toEqual(described.map((name) => name.toLowerCase()).toSorted());
});

test("all described answers are tested here, except these", () => {
  const described = operations.flatMap(({ method, path, operation }) =>
    Object.entries(operation.responses).flatMap(([status, { content }]) =>
      Object.keys(content).map((type) => `${method} ${path} ${status} ${type}`),
    ),
  );
  const tested = new Set(
    answers.map(({ ask, status, type }) => {
      const [method = "", path = ""] = ask.split(" ");
      return `${method} ${pathOf(path)} ${status} ${type}`;
    }),
  );

  // `reader-tokens.test.ts` compares refused tokens.
  const elsewhere = ["x-protobuf", " default ", " 401 "];
  const others = described.filter(
    (each) => !tested.has(each) && !elsewhere.some((part) => each.includes(part)),
  );

  // Metrics, tails, uploads and busy servers have their own tests.
  expect(others).toEqual([
    "GET /readyz 503 application/json",
    "GET /metrics 200 text/plain",
    "GET /api/spans 503 application/problem+json",
    "POST /api/spans/take 503 application/problem+json",
    "POST /api/upload 200 application/json",
    "POST /api/upload 411 application/problem+json",
    "POST /api/upload 413 application/problem+json",
    "POST /api/upload 415 application/problem+json",
    "POST /api/upload 503 application/problem+json",
    "GET /api/traces 503 application/problem+json",
    "GET /api/traces/{trace_id} 503 application/problem+json",
    "GET /api/operations 503 application/problem+json",
    "GET /api/service-graph 503 application/problem+json",
    "GET /api/wait 503 application/problem+json",
    "GET /api/tail 200 application/x-ndjson",
    "GET /api/tail 200 text/event-stream",
    "GET /api/tail 503 application/problem+json",
  ]);
});

test("no schema accepts an empty object", () => {
  const { Problem, Stats, Traces, Services, Cleared, SpanLine, Health } =
    description.components.schemas;

  const named = { Problem, Stats, Traces, Services, Cleared, SpanLine, Health };
  for (const name of Object.keys(named)) {
    expect(ajv.validate({ $ref: `api#/components/schemas/${name}` }, {})).toBe(false);
  }
});

test("the lines of a tail match their schema", async () => {
  const run = runReadApi({ spanCount: 5, capacity: { spans: 2, bytes: 4096 } });
  const aborting = new AbortController();

  const response = await run.request("/api/tail?after=0", { signal: aborting.signal });
  const text = await textUntil(response, '"sequence":5');
  aborting.abort();

  const { content } = description.paths["/api/tail"]!["get"]!.responses["200"]!;
  const validate = ajv.compile({ $ref: `api${content[NDJSON]!.schema!.$ref}` });
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as object);
  expect(lines.map((line) => validate(line))).toEqual([true, true, true]);
});

test("both reasons for missed spans of a tail are described", () => {
  const descriptions = [
    description.paths["/api/tail"]!["get"]!.description,
    JSON.stringify(description.components.schemas["TailLine"]),
  ];

  for (const text of descriptions)
    expect(text).toMatch(/evicted before .* not copied because responses/);
});

/** Prefers this type; problems have one type regardless of Accept. */
function accept({ type }: { readonly type: string }): Record<string, string> {
  return { Accept: `${type}, */*;q=0.1` };
}

function pathOf(target: string): string {
  return target.split("?")[0]!.replace(/^(\/api\/traces\/).+/, "$1{trace_id}");
}

function responseTo(method: string, target: string, status: number) {
  const { responses } = description.paths[pathOf(target)]![method.toLowerCase()]!;
  return responses[status] ?? responses["default"]!;
}

/** Returns the JSON of each line. */
async function bodiesOf(response: Response): Promise<unknown[]> {
  const text = await response.text();
  const parts = text.split("\n").filter((line) => line !== "");
  return parts.map((part) => JSON.parse(part) as unknown);
}

async function textUntil(response: Response, end: string): Promise<string> {
  let text = "";
  for await (const bytes of response.body!) {
    text += new TextDecoder().decode(bytes);
    if (text.includes(end)) break;
  }
  return text;
}
