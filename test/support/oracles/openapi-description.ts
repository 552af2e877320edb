import { runReadApi } from "../running/running-read-api.ts";

/** The parts of the description that a client reads. */
export interface DescribedParameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: "path" | "query";
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

export interface DescribedOperation {
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly DescribedParameter[];
  /** Replaces that of the description. */
  readonly security?: readonly object[];
  readonly responses: Readonly<
    Record<string, { headers?: object; content: Record<string, { schema?: { $ref: string } }> }>
  >;
}

export interface Description {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, object>>;
    readonly schemas: Readonly<Record<string, object>>;
    readonly parameters: Readonly<Record<string, DescribedParameter>>;
  };
}

/** Fetches the description from a running server. */
export async function fetchDescription(): Promise<Description> {
  const { request, api } = runReadApi();
  const fetched = (await (await request("/api/openapi.json")).json()) as Description;
  await api.abort();
  return fetched;
}

export interface FoundOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: DescribedOperation;
  readonly parameters: readonly DescribedParameter[];
}

/** Returns every method of every path, with its parameters. */
export function operationsOf({ paths, components }: Description): FoundOperation[] {
  const resolved = (parameter: DescribedParameter): DescribedParameter => {
    const name = parameter.$ref?.split("/").at(-1);
    return name === undefined ? parameter : components.parameters[name]!;
  };
  return Object.entries(paths).flatMap(([path, ofPath]) =>
    Object.entries(ofPath).map(([method, operation]) => {
      const parameters = operation.parameters.map(resolved);
      return { method: method.toUpperCase(), path, operation, parameters };
    }),
  );
}

/** Returns the schema, allowing only the listed members in objects. */
export function closed<Value>(schema: Value): Value {
  if (Array.isArray(schema)) return schema.map(closed) as Value;
  if (typeof schema !== "object" || schema === null) return schema;
  const members = Object.entries(schema).map(([name, value]) => [name, closed(value)]);
  const rest = "properties" in schema && "type" in schema ? { additionalProperties: false } : {};
  return { ...Object.fromEntries(members), ...rest } as Value;
}
