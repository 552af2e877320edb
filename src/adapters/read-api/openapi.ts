import {
  CONDITION_NAMES,
  CONDITION_ROWS,
  type ConditionName,
} from "../../domain/query/span-filter.ts";
import type { Parameters } from "./parameter.ts";
import { type JsonSchema, schemasOf } from "../api-messages/message.ts";
import { MESSAGES } from "../api-messages/messages.ts";
import { type Field, type ScalarKind, type Shape, SHAPES } from "../otlp/json/json-shape.ts";
import { API_KEY_HEADER } from "../listening/token-gate.ts";
import { PROBLEM_TYPE } from "./problem.ts";
import type { AnswerDescription, Route } from "./route.ts";

const ABOUT =
  "Searches the buffer, waits for spans, and follows them. Every path that supports GET supports " +
  "HEAD as well. Requests with a foreign `Host` or `Origin` are refused with 403, and so are " +
  "requests that a browser sends for a page of another site (`Sec-Fetch-Site`), unless the user " +
  "follows a link. A request with an invalid or unknown parameter has no effect; it gets 400. " +
  "With `API_AUTH_TOKENS_FILE`, requests without a valid token get 401, except `/healthz` and " +
  "`/readyz`.";

/** Returns the OpenAPI document of the routes. It takes some milliseconds to build. */
export function openApiDocument(routes: readonly Route[], version: string): object {
  const paths = [...Map.groupBy(routes, ({ path }) => path)].map(([path, ofPath]) => {
    const operations = ofPath.map((each) => [each.method.toLowerCase(), operationOf(each)]);
    return [path, Object.fromEntries(operations)];
  });
  return {
    openapi: "3.1.0",
    info: { title: "spanring read API", version, description: ABOUT },
    paths: Object.fromEntries(paths),
    // The empty alternative applies without `API_AUTH_TOKENS_FILE`.
    security: [{ bearer: [] }, { apiKey: [] }, {}],
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        apiKey: { type: "apiKey", in: "header", name: API_KEY_HEADER },
      },
      schemas: { ...otlpSchemas(), SpanLine: spanLineSchema(), ...schemasOf(MESSAGES) },
      parameters: Object.fromEntries(CONDITION_NAMES.map((name) => [name, conditionOf(name)])),
      headers: { RunId: RUN_ID, FirstSequence: FIRST_SEQUENCE, NextSequence: NEXT_SEQUENCE },
    },
  };
}

function operationOf(route: Route): object {
  const { summary, description, takesFilter, pathParameters, queryParameters, answers, bodyType } =
    route;
  const isOpen = route.isOpen === true;
  const conditions = takesFilter ? CONDITION_NAMES : [];
  const responses = Object.entries(answers).map(([status, each]) => [status, responseOf(each)]);
  return {
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: [
      ...parametersIn("path", pathParameters),
      ...conditions.map((name) => ({ $ref: `#/components/parameters/${name}` })),
      ...parametersIn("query", queryParameters),
    ],
    ...(isOpen ? { security: [] } : {}),
    ...(bodyType === undefined
      ? {}
      : { requestBody: { required: true, content: { [bodyType]: {} } } }),
    responses: {
      ...(isOpen ? {} : { 401: UNAUTHENTICATED }),
      ...Object.fromEntries(responses),
      default: ANY_PROBLEM,
    },
  };
}

function parametersIn(place: "path" | "query", parameters: Parameters): object[] {
  return Object.entries(parameters).map(([name, { meaning, schema }]) => {
    return { name, in: place, required: place === "path", description: meaning, schema };
  });
}

function conditionOf(name: ConditionName): object {
  const { meaning, pattern, isRepeatable } = CONDITION_ROWS[name];
  const one = { type: "string", ...(pattern === undefined ? {} : { pattern }) };
  const schema = isRepeatable === true ? { type: "array", items: one } : one;
  return { name, in: "query", description: meaning, schema };
}

function responseOf({ meaning, bodies, reportsRange }: AnswerDescription): object {
  const content = Object.entries(bodies).map(([type, name]) => {
    return [type, name === undefined ? {} : { schema: refTo(name) }];
  });
  return {
    description: meaning,
    headers: { ...RUN, ...(reportsRange === undefined ? {} : RANGE_HEADERS[reportsRange]) },
    content: Object.fromEntries(content),
  };
}

function refTo(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

const FIRST_SEQUENCE = sequenceHeader("The sequence at which the search began.");
const NEXT_SEQUENCE = sequenceHeader("The sequence before which the search ended.");

function sequenceHeader(description: string): object {
  return { description, required: true, schema: { type: "integer", minimum: 1 } };
}

const RUN_ID = {
  description: "Identifies this run of spanring. Each run numbers its spans from 1.",
  required: true,
  schema: { type: "string" },
};

const RUN = { "Spanring-Run-Id": { $ref: "#/components/headers/RunId" } };
const FIRST = { "Spanring-First-Sequence": { $ref: "#/components/headers/FirstSequence" } };
const NEXT = { "Spanring-Next-Sequence": { $ref: "#/components/headers/NextSequence" } };
const RANGE_HEADERS = { first: FIRST, all: { ...FIRST, ...NEXT } };

const ANY_PROBLEM = {
  description: "An error, and what is wrong with the request or the server.",
  headers: RUN,
  content: { [PROBLEM_TYPE]: { schema: refTo("Problem") } },
};

const UNAUTHENTICATED = {
  description: "The request has no valid token.",
  headers: {
    ...RUN,
    "WWW-Authenticate": { description: "`Bearer`.", required: true, schema: { type: "string" } },
  },
  content: { [PROBLEM_TYPE]: { schema: refTo("Problem") } },
};

const UNSIGNED_32 = { type: "integer", minimum: 0, maximum: 2 ** 32 - 1 };

const SCALAR_SCHEMAS: Readonly<Record<ScalarKind, JsonSchema>> = {
  string: { type: "string" },
  hex: { type: "string", pattern: "^([0-9a-f]{2})*$" },
  base64: { type: "string", contentEncoding: "base64" },
  bool: { type: "boolean" },
  double: { anyOf: [{ type: "number" }, { enum: ["NaN", "Infinity", "-Infinity"] }] },
  int32: { type: "integer", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
  uint32: UNSIGNED_32,
  int64: { type: "string", pattern: String.raw`^-?\d{1,19}$` },
  fixed32: UNSIGNED_32,
  fixed64: { type: "string", pattern: String.raw`^\d{1,20}$` },
};

/** Describes the messages of OTLP/JSON, derived from the tables that also write them. */
function otlpSchemas(): Readonly<Record<string, JsonSchema>> {
  const messages = Object.entries(SHAPES).map(([name, shape]) => [name, messageSchema(shape)]);
  return Object.fromEntries(messages);
}

function messageSchema({ fields, isOneof }: Shape): JsonSchema {
  const shown = fields.filter(({ isProfilesOnly }) => !isProfilesOnly);
  const properties = Object.fromEntries(shown.map((field) => [field.name, fieldSchema(field)]));
  return { type: "object", properties, ...(isOneof ? { maxProperties: 1 } : {}) };
}

function fieldSchema({ value, isRepeated }: Field): JsonSchema {
  const schema = typeof value === "string" ? SCALAR_SCHEMAS[value] : refTo(nameOfShape(value));
  return isRepeated ? { type: "array", items: schema } : schema;
}

function nameOfShape(shape: Shape): string {
  return Object.entries(SHAPES).find(([, each]) => each === shape)![0];
}

/** Returns the schema of a line of NDJSON. */
function spanLineSchema(): JsonSchema {
  const { properties } = messageSchema(SHAPES.Span);
  return {
    type: "object",
    properties: {
      sequence: { type: "integer", minimum: 0 },
      run_id: { type: "string", description: "Identifies the run that numbers the span." },
      service: { type: "string" },
      ...(properties as JsonSchema),
      resource: refTo("Resource"),
      resourceSchemaUrl: { type: "string" },
      scope: refTo("InstrumentationScope"),
      scopeSchemaUrl: { type: "string" },
    },
    required: ["sequence", "run_id", "service", "resource", "scope"],
    description: "One line for each span: an OTLP/JSON Span with additional members.",
  };
}
