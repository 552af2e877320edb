import { expect, test } from "bun:test";
import { FILE_TYPE } from "../../../src/adapters/read-api/upload-answer.ts";
import { Ajv2020 } from "ajv/dist/2020.js";
import {
  type DescribedParameter,
  fetchDescription,
  operationsOf,
} from "../../support/oracles/openapi-description.ts";
import { openedGate } from "../../support/fakes/opened-gate.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

// Goal: the description matches the server. Method: the tests fetch it, request everything that it
// describes, and look up everything that the server supports.

const description = await fetchDescription();
const operations = operationsOf(description);
const ajv = new Ajv2020({ strict: false });

function filled(path: string): string {
  return path.replace("{trace_id}", "ab070707070707070707070700000001");
}

test("the description is OpenAPI 3.1 with the version of the program", () => {
  expect(description).toMatchObject({ openapi: "3.1.0", info: { version: "1.2.3" } });
});

test.each(operations)("$method $path is routed", async ({ method, path }) => {
  const { request } = runReadApi();
  const aborting = new AbortController();

  const response = await request(filled(path), {
    method,
    headers: { "Content-Type": FILE_TYPE },
    signal: aborting.signal,
  });
  aborting.abort();

  expect(response.status).toBe(200);
});

test.each(operations)("$method $path describes whether it needs a token", async (given) => {
  const { method, path, operation } = given;
  const { request } = runReadApi({ gate: openedGate("one").gate });

  const { status } = await request(filled(path), { method });

  expect(operation.security).toEqual(status === 401 ? undefined : []);
  expect("401" in operation.responses).toBe(status === 401);
});

test("every described way to send a token is accepted", async () => {
  const { request } = runReadApi({ gate: openedGate("one").gate });
  const sent: Readonly<Record<string, object>> = {
    bearer: { Authorization: "Bearer one" },
    apiKey: { "x-api-key": "one" },
  };

  const names = Object.keys(description.components.securitySchemes);
  const answers = await Promise.all(
    names.map((name) => request("/api/stats", { headers: { ...sent[name] } })),
  );

  expect(names).toEqual(Object.keys(sent));
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  // The last alternative is a server without tokens.
  expect(description.security.map((each) => Object.keys(each))).toEqual([
    ["bearer"],
    ["apiKey"],
    [],
  ]);
});

test("all routed paths and methods are described", async () => {
  const { request } = runReadApi();

  const { detail } = (await (await request("/nothing")).json()) as { detail: string };
  const allowed = await Promise.all(
    Object.keys(description.paths).map(async (path) => {
      const response = await request(filled(path), { method: "PATCH" });
      return [path, response.headers.get("allow")?.split(", ")];
    }),
  );

  const routed = detail.split("known paths: ").at(-1)!.split(", ");
  const described = Object.entries(description.paths).map(([path, methods]) => [
    path,
    Object.keys(methods).flatMap((method) =>
      method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()],
    ),
  ]);
  expect(routed).toEqual(Object.keys(description.paths));
  expect(allowed).toEqual(described);
});

test.each(operations)("$method $path supports exactly the described parameters", async (given) => {
  const { request } = runReadApi();

  const response = await request(`${filled(given.path)}?nonsense=1`, { method: given.method });
  const { detail } = (await response.json()) as { detail: string };

  const [, known] = /known: (.*)$/.exec(detail) ?? [];
  const inQuery = given.parameters.filter(({ in: location }) => location === "query");
  expect(known?.split(", ") ?? []).toEqual(inQuery.map(({ name }) => name));
});

test("the parameters in braces equal the described ones", () => {
  for (const { path, parameters } of operations) {
    const inPath = parameters.filter(({ in: location }) => location === "path");
    const inBraces = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name!);
    expect(inBraces).toEqual(inPath.map(({ name }) => name));
  }
});

test("every operation has a summary, and every parameter a description", () => {
  for (const { operation, parameters } of operations) {
    expect(operation.summary.length).toBeGreaterThan(10);
    expect(parameters.every(({ description: text }) => text.length > 8)).toBe(true);
  }
});

const examples: Readonly<Record<string, { readonly good: string; readonly bad: string }>> = {
  trace_id: { good: "ab070707070707070707070700000001", bad: "ab" },
  span_id: { good: "cd01020300000001", bad: "cd" },
  links_to: { good: "cd01020300000001", bad: "cd01" },
  kind: { good: "server", bad: "web" },
  status: { good: "error", bad: "bad" },
  attribute: { good: "a=b", bad: "=b" },
  text: { good: "cart", bad: "" },
  name_contains: { good: "cart", bad: "" },
  attribute_exists: { good: "a", bad: "" },
  attribute_matches: { good: "a=/b/*", bad: "a" },
  attribute_number: { good: "a>=1.5", bad: "a=1" },
  max_duration: { good: "250ms", bad: "250" },
  min_duration: { good: "250ms", bad: "250" },
  since: { good: "5m", bad: "yesterday" },
  until: { good: "2026-01-31T12:00:00Z", bad: "tomorrow" },
  after: { good: "0123456789abcdef-3", bad: "-1" },
  limit: { good: "5", bad: "0" },
  order: { good: "newest", bad: "random" },
  count: { good: "2", bad: "10001" },
  timeout: { good: "1ms", bad: "11m" },
  absent: { good: "true", bad: "yes" },
  trace_complete: { good: "true", bad: "yes" },
  quiet: { good: "1ms", bad: "1" },
  expect: { good: "count=0", bad: "" },
  hold: { good: "true", bad: "yes" },
};

/** Parameters that accept any text. */
const anyText = new Set(["service", "name", "name_matches"]);

const checkedParameters = operations.flatMap(({ method, path, parameters }) =>
  parameters
    .filter(({ in: location, name }) => location === "query" && !anyText.has(name))
    .map(({ name, schema }) => ({ method, path, name, schema })),
);

test.each(checkedParameters)(
  "$method $path accepts $name according to its schema",
  async (given) => {
    const { method, path, name, schema } = given;
    const run = runReadApi();
    const { good, bad } = examples[name]!;
    const rest = `${path === "/api/wait" && name !== "timeout" ? "&timeout=1ms" : ""}${
      name === "quiet" ? "&trace_complete=true" : ""
    }${name === "hold" ? "&expect=count%3D0" : ""}`;
    const statusOf = async (text: string) => {
      const aborting = new AbortController();
      const query = `${name}=${encodeURIComponent(text)}${rest}`;
      const init = { method, signal: aborting.signal };
      const { status } = await run.request(`${path}?${query}`, init);
      aborting.abort();
      return status;
    };

    const statuses = { good: await statusOf(good), bad: await statusOf(bad) };

    expect(statuses.good).not.toBe(400);
    expect(statuses.bad).toBe(400);
    expect(ajv.validate(schema, typedAs(schema, good))).toBe(true);
  },
);

function typedAs({ type }: DescribedParameter["schema"], text: string): unknown {
  if (type === "integer") return Number(text);
  if (type === "boolean") return text === "true";
  return type === "array" ? [text] : text;
}
