import {
  attribute,
  request,
  resourceSpans,
  serverRequest,
  spanId,
  traceId,
} from "../support/requests/request-bytes.ts";
import {
  bytesField,
  fixed32Field,
  fixed64Field,
  varintField,
} from "../support/requests/wire-bytes.ts";

/** A request as a receiver may meet it. */
export interface RequestShape {
  readonly name: string;
  readonly spanCount: number;
  readonly bytes: Uint8Array;
}

const START_NS = 1_700_000_000_000_000_000n;

/** The requests to which the figures of the design refer. */
export const SERVER_SPANS = serverRequestShape(512);

/** Requests on which the walk must be fast, and on which it must not be slow. */
export const REQUEST_SHAPES: readonly RequestShape[] = [
  SERVER_SPANS,
  serverRequestShape(1),
  serverRequestShape(100),
  shape("long attribute values", 128, () => requestOfSpans(128, longSpan)),
  shape("events and links", 128, () => requestOfSpans(128, eventfulSpan)),
  shape("fields in odd order", 128, () => requestOfSpans(128, oddSpan)),
];

/** Requests on which the writer of OTLP/JSON must be fast, and on which it must not be slow. */
export const WRITTEN_SHAPES: readonly RequestShape[] = [
  ...REQUEST_SHAPES,
  shape("texts of 64 KiB", 8, () => requestOfSpans(8, textSpan)),
  shape("sixty numbers", 64, () => requestOfSpans(64, numericSpan)),
];

/**
 * Returns spans as the SDK of a web server emits them: about 350 bytes each, with eight attributes.
 */
export function serverRequestShape(spanCount: number): RequestShape {
  const name = spanCount === 1 ? "one server span" : `${spanCount} server spans`;
  return shape(name, spanCount, () => serverRequest(spanCount));
}

/** Makes a shape. gRPC delivers requests as `Buffer`, so they are buffers here. */
function shape(name: string, spanCount: number, make: () => Uint8Array): RequestShape {
  return { name, spanCount, bytes: Buffer.from(make()) };
}

function requestOfSpans(spanCount: number, body: (number: number) => number[][]): Uint8Array {
  const spans = Array.from({ length: spanCount }, (_, at) => bytesField(2, ...body(at + 1)));
  return request(resourceSpans("shop", ...spans));
}

function ids(number: number): number[][] {
  return [bytesField(1, traceId(number)), bytesField(2, spanId(number))];
}

function times(number: number): number[][] {
  const startNs = START_NS + BigInt(number);
  return [fixed64Field(7, startNs), fixed64Field(8, startNs + 5_000_000n)];
}

/** Returns a span with a statement and a stack trace: attribute values with two-byte lengths. */
function longSpan(number: number): number[][] {
  return [
    ...ids(number),
    bytesField(5, "SELECT shop.orders"),
    varintField(6, 3),
    ...times(number),
    bytesField(9, attribute("db.system.name", "postgresql")),
    bytesField(9, attribute("db.query.text", "SELECT id, total FROM orders WHERE ".repeat(12))),
    bytesField(9, attribute("code.stacktrace", "at Object.query (orders.ts:42:13)\n".repeat(40))),
  ];
}

/**
 * Returns a span with two events and two links, which have attributes that are not attributes of
 * the span.
 */
function eventfulSpan(number: number): number[][] {
  const event = [
    fixed64Field(1, START_NS + BigInt(number)),
    bytesField(2, "message"),
    bytesField(3, attribute("messaging.operation.type", "receive")),
    bytesField(3, bytesField(1, "messaging.batch.size"), bytesField(2, varintField(3, 20))),
  ];
  const link = [...ids(number), bytesField(4, attribute("messaging.client.id", "client-7"))];
  return [
    ...ids(number),
    bytesField(5, "receive orders"),
    varintField(6, 5),
    ...times(number),
    bytesField(9, attribute("messaging.system", "kafka")),
    bytesField(11, ...event),
    bytesField(11, ...event),
    bytesField(13, ...link),
    bytesField(13, ...link),
    bytesField(15, varintField(3, 1)),
  ];
}

/** Returns a span with one attribute of 64 KiB, in lines. */
function textSpan(number: number): number[][] {
  const lines = "SELECT id, total FROM orders WHERE id = 42\n".repeat(1500);
  return [...ids(number), ...times(number), bytesField(9, attribute("db.query.text", lines))];
}

/** Returns a span with sixty numbers as attributes, half of them integers. */
function numericSpan(number: number): number[][] {
  const numbers = Array.from({ length: 60 }, (_, index) => {
    const double = new Float64Array([(number * index) / 8 + 0.1]);
    const value =
      index % 2 === 0
        ? varintField(3, number * index * 977)
        : fixed64Field(4, new BigUint64Array(double.buffer)[0]!);
    return bytesField(9, bytesField(1, `metric.${index}`), bytesField(2, value));
  });
  return [...ids(number), ...times(number), ...numbers];
}

/** Encodes an attribute with its value before its key. */
function backward(key: string, value: string): number[] {
  return bytesField(9, bytesField(2, bytesField(1, value)), bytesField(1, key));
}

/**
 * Returns a span that is valid but that no encoder writes: identifiers last, values before keys,
 * unknown fields.
 */
function oddSpan(number: number): number[][] {
  return [
    fixed32Field(16, 0x101),
    bytesField(15, varintField(3, 1), bytesField(2, "fine")),
    backward("http.request.method", "GET"),
    varintField(1000, number),
    backward("url.path", "/api/v1/orders/42"),
    backward("url.scheme", "https"),
    bytesField(2000, "unknown to us"),
    ...times(number).toReversed(),
    backward("server.address", "shop.example.com"),
    varintField(6, 2),
    bytesField(5, "GET /api/v1/orders/{id}"),
    ...ids(number).toReversed(),
  ];
}
