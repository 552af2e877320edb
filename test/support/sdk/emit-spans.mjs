/**
 * Emits spans like applications, with the real SDK: every field it can set, in named groups.
 *
 * Plain JavaScript, because clients run this in Node as well as in Bun. Each group is given a
 * scene: how to open a tracer provider for a resource, what the time is, and whether the spans will
 * travel as JSON. `sdk-client.mjs` plays the groups live, `record-golden.ts` with fixed times and
 * identifiers.
 */
import {
  createTraceState,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";

const PLAIN = resourceFromAttributes({ "service.name": "shop" });
const SHOP = resourceFromAttributes(
  { "service.name": "shop", "service.instance": 7, "host.cores": [1, 2] },
  { schemaUrl: "https://opentelemetry.io/schemas/1.37.0" },
);
const BANK = resourceFromAttributes({ "service.name": "bänk ⚖" });

/** The context as in a `traceparent` header. */
const REMOTE = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: TraceFlags.SAMPLED,
  isRemote: true,
  traceState: createTraceState("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
};

const LOCAL = {
  traceId: "00000000000000000000000000000001",
  spanId: "ffffffffffffffff",
  traceFlags: TraceFlags.NONE,
};

export const GROUPS = {
  "plain-server-span": emitPlainServerSpan,
  "attribute-kinds": emitAttributeKinds,
  "kinds-and-parents": emitKindsAndParents,
  "events-links-status": emitEventsLinksStatus,
  "two-resources": emitTwoResources,
  "dropped-counts": emitDroppedCounts,
};

function emitPlainServerSpan({ open, at }) {
  const tracer = open({ resource: PLAIN }).getTracer("shop", "1.2.3");
  const attributes = {
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "url.path": "/orders/42",
  };
  const options = { kind: SpanKind.SERVER, startTime: at(0), attributes };
  tracer.startSpan("GET /orders/{id}", options).end(at(5));
}

/**
 * Attributes that the JSON of the SDK (0.301.0) changes: `intValue` for a number that it rounds to
 * more than 64 bits, and null.
 */
const NOT_FOR_JSON = ["widest", "too wide for int64", "endless", "not a number"];

function emitAttributeKinds({ open, at, isJson = false }) {
  const tracer = open({ resource: BANK }).getTracer("kinds");
  const attributes = {
    text: "plain",
    unicode: 'žluťoučký kůň 🐎 \u0000\u2028"\\',
    "key with ✨": "",
    yes: true,
    no: false,
    zero: 0,
    negative: -1,
    wide: Number.MAX_SAFE_INTEGER,
    widest: -(2 ** 63),
    "too wide for int64": 2 ** 63,
    fraction: 0.1,
    least: Number.MIN_VALUE,
    endless: Number.NEGATIVE_INFINITY,
    "not a number": Number.NaN,
    bytes: Uint8Array.of(0, 1, 0xfe, 0xff),
    "no bytes": new Uint8Array(0),
    nothing: null,
    texts: ["a", "", "č"],
    flags: [true, false],
    mixed: [1, 2.5, "three", null, [4]],
    none: [],
    map: { inner: { deep: [-1, { end: "." }] }, empty: {} },
  };
  if (isJson) for (const key of NOT_FOR_JSON) delete attributes[key];
  tracer.startSpan("", { startTime: at(0), attributes }).end(at(0));
}

function emitKindsAndParents({ open, at }) {
  const tracer = open({ resource: SHOP }).getTracer("parents", "0.0.1");
  const kinds = [SpanKind.SERVER, SpanKind.INTERNAL, SpanKind.CLIENT];
  let context = trace.setSpanContext(ROOT_CONTEXT, REMOTE);
  const spans = [...kinds, SpanKind.PRODUCER, SpanKind.CONSUMER].map((kind, index) => {
    const span = tracer.startSpan(`kind ${kind}`, { kind, startTime: at(index) }, context);
    context = trace.setSpan(context, span);
    return span;
  });
  for (const span of spans.toReversed()) span.end(at(60_001));
}

function emitEventsLinksStatus({ open, at }) {
  const tracer = open({ resource: SHOP }).getTracer("events");
  const links = [
    { context: REMOTE, attributes: { "link.of": "queue", count: 3 } },
    { context: LOCAL },
    { context: { ...LOCAL, isRemote: true } },
  ];
  const failing = tracer.startSpan("failing", { links, startTime: at(0) });
  failing.addEvent("retry", { attempt: 2, reasons: ["slow", "down"] }, at(1));
  failing.addEvent("", at(2));
  failing.setStatus({ code: SpanStatusCode.ERROR, message: "čas vypršel" });
  failing.end(at(3));
  const fine = tracer.startSpan("fine", { startTime: at(4) });
  fine.setStatus({ code: SpanStatusCode.OK });
  fine.end(at(5));
}

function emitTwoResources({ open, at }) {
  for (const resource of [SHOP, BANK]) {
    const provider = open({ resource });
    const tracers = [
      provider.getTracer("first", "1.0.0", { schemaUrl: "https://example.com/first" }),
      provider.getTracer("second"),
    ];
    for (const [index, tracer] of [...tracers, tracers[0]].entries()) {
      tracer.startSpan(`span ${index}`, { startTime: at(index) }).end(at(index + 1));
    }
  }
}

function emitDroppedCounts({ open, at }) {
  const spanLimits = {
    attributeCountLimit: 2,
    attributeValueLengthLimit: 4,
    eventCountLimit: 1,
    linkCountLimit: 1,
    attributePerEventCountLimit: 1,
    attributePerLinkCountLimit: 1,
  };
  const tracer = open({ resource: BANK, spanLimits }).getTracer("limits");
  const attributes = { a: "longer than four", b: 2, c: 3, d: 4, e: 5 };
  const links = [{ context: LOCAL }, { context: REMOTE, attributes: { a: 1, b: 2, c: 3 } }];
  const span = tracer.startSpan("dropped", { attributes, links, startTime: at(0) });
  for (const name of ["first", "second", "third"]) span.addEvent(name, { a: 1, b: 2 }, at(1));
  span.end(at(2));
}

/**
 * Returns a clock with times in the form of the SDK, whose nanoseconds a double cannot represent.
 */
export function clockFrom(seconds) {
  return (offsetMs) => [
    seconds + Math.floor(offsetMs / 1000),
    (offsetMs % 1000) * 1_000_000 + 123_457,
  ];
}
