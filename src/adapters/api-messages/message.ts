import * as z from "zod/mini";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A description of a JSON body. It is built at its first use, so a start builds none. */
export type Message<Schema extends z.ZodMiniType = z.ZodMiniType> = () => Schema;

/** The type of a body as the server writes it. */
export type Written<Described extends Message> = z.input<ReturnType<Described>>;

/** The type of a body as a reader gets it, which may come from a later version. */
export type Received<Described extends Message> = z.output<ReturnType<Described>>;

/** Describes a body. In the API description, others refer to it by its name. */
export function message<Schema extends z.ZodMiniType>(
  id: string,
  build: Message<Schema>,
  meaning?: string,
): Message<Schema> {
  const named = z.meta(meaning === undefined ? { id } : { id, description: meaning });
  return once(() => build().check(named) as Schema);
}

/** Returns a function that builds its value at the first call. */
export function once<Value>(build: () => Value): () => Value {
  let built: Value | undefined;
  return () => (built ??= build());
}

/** Reports whether a body is such a message. Additional members are allowed. */
export function isMessage<Schema extends z.ZodMiniType>(
  schema: Schema,
  body: unknown,
): body is z.output<Schema> {
  return schema.safeParse(body).success;
}

export function text(meaning?: string): z.ZodMiniString {
  return described(z.string(), meaning);
}

/** Returns the schema with a description. */
export function described<Schema extends z.ZodMiniType>(
  schema: Schema,
  meaning: string | undefined,
): Schema {
  return meaning === undefined ? schema : (schema.check(z.describe(meaning)) as Schema);
}

export function pattern(expression: RegExp): z.ZodMiniString {
  return z.string().check(z.regex(expression));
}

export function count(meaning?: string): z.ZodMiniNumberFormat {
  return described(z.int().check(z.minimum(0)), meaning);
}

export function amount(meaning?: string): z.ZodMiniNumber {
  return described(z.number().check(z.minimum(0)), meaning);
}

export function time(): z.ZodMiniString {
  return z.string().check(z.refine<string>(isTime), z.meta({ format: "date-time" }));
}

export function list<Schema extends z.ZodMiniType>(
  item: Schema,
): z.ZodMiniReadonly<z.ZodMiniArray<Schema>> {
  return z.readonly(z.array(item));
}

export function nullable<Schema extends z.ZodMiniType>(
  schema: Schema,
  meaning: string,
): z.ZodMiniNullable<Schema> {
  return described(z.nullable(schema), meaning);
}

/** Describes a word from a list. A later version may add words, so readers accept any. */
export function word<Word extends string>(
  words: readonly Word[],
  meaning?: string,
): z.ZodMiniType<string, Word> {
  const schema = described(z.string().check(z.meta({ enum: words })), meaning);
  return schema as unknown as z.ZodMiniType<string, Word>;
}

/** Describes counts by name. A later version may add names, so readers accept any. */
export function countsOf<Name extends string>(
  names: readonly Name[],
  description: string,
): z.ZodMiniType<Record<string, number>, Readonly<Record<Name, number>>> {
  const properties = Object.fromEntries(names.map((name) => [name, jsonSchemaOf(count())]));
  const known = z.meta({ properties, required: names, description });
  const schema = z.record(z.string(), z.number()).check(known);
  return schema as unknown as ReturnType<typeof countsOf<Name>>;
}

/** Refers to a schema that is derived from the tables of OTLP/JSON. */
export function otlp(name: string): z.ZodMiniUnknown {
  return z.unknown().check(z.meta({ $ref: `${SCHEMAS_PATH}${name}` }));
}

const SCHEMAS_PATH = "#/components/schemas/";

/** Returns the JSON schemas of messages by name, for the API description. */
export function schemasOf(messages: readonly Message[]): Record<string, JsonSchema> {
  const { $defs } = jsonSchemaOf(z.tuple(messages.map((each) => each()) as [z.ZodMiniType]));
  return JSON.parse(JSON.stringify($defs).replaceAll("#/$defs/", SCHEMAS_PATH));
}

function isTime(written: string): boolean {
  return !Number.isNaN(Date.parse(written));
}

function jsonSchemaOf(schema: z.ZodMiniType): JsonSchema {
  const { $schema: _, ...converted } = z.toJSONSchema(schema, { io: "input", override: shorten });
  return converted;
}

/** Removes keywords that the library adds and that mean nothing to a reader of the description. */
function shorten({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.propertyNames !== undefined) delete jsonSchema.additionalProperties;
  delete jsonSchema.propertyNames;
  delete jsonSchema.readOnly;
  delete jsonSchema.id;
  const [one, none] = jsonSchema.anyOf ?? [];
  if (none?.type !== "null" || one?.type === undefined) return;
  delete jsonSchema.anyOf;
  Object.assign(jsonSchema, { ...one, ...jsonSchema, type: [one.type, "null"] });
}
