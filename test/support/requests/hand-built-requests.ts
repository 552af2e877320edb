import {
  attribute,
  request,
  requestOf,
  resourceSpans,
  serverRequest,
  span,
  spanBody,
  spanId,
  traceId,
} from "./request-bytes.ts";
import {
  bytesField,
  fixed32Field,
  fixed64Field,
  varintField,
  wideBytesField,
} from "./wire-bytes.ts";

const anyValue = (...parts: number[][]) => bytesField(2, ...parts);

const everyKindOfValue = [
  bytesField(9, bytesField(1, "string"), anyValue(bytesField(1, "text"))),
  bytesField(9, bytesField(1, "bool"), anyValue(varintField(2, 1))),
  bytesField(9, bytesField(1, "int"), anyValue(varintField(3, -2n))),
  bytesField(9, bytesField(1, "double"), anyValue(fixed64Field(4, 0x3ff8000000000000n))),
  bytesField(
    9,
    bytesField(1, "array"),
    anyValue(bytesField(5, bytesField(1, bytesField(1, "a")), bytesField(1, varintField(3, 300)))),
  ),
  bytesField(9, bytesField(1, "list"), anyValue(bytesField(6, bytesField(1, attribute("k", "v"))))),
  bytesField(9, bytesField(1, "bytes"), anyValue(bytesField(7, [0, 0xff]))),
  bytesField(9, bytesField(1, "empty"), anyValue()),
];

const event = bytesField(
  11,
  fixed64Field(1, 1_700_000_000_000_000_001n),
  bytesField(2, "exception"),
  bytesField(3, attribute("exception.type", "Oops")),
  varintField(4, 1),
);

const link = bytesField(
  13,
  bytesField(1, traceId(9)),
  bytesField(2, spanId(9)),
  bytesField(3, "vendor=1"),
  bytesField(4, attribute("link", "yes")),
  varintField(5, 2),
  fixed32Field(6, 0x300),
);

/** All fields of a span, in numerical order. */
export const fullSpanBody = [
  ...bytesField(1, traceId(7)),
  ...bytesField(2, spanId(7)),
  ...bytesField(3, "vendor=state"),
  ...bytesField(4, spanId(6)),
  ...bytesField(5, "GET /orders"),
  ...varintField(6, 2),
  ...fixed64Field(7, 1_700_000_000_000_000_000n),
  ...fixed64Field(8, 1_700_000_000_005_000_000n),
  ...everyKindOfValue.flat(),
  ...varintField(10, 200),
  ...event,
  ...varintField(12, 4),
  ...link,
  ...varintField(14, 6),
  ...bytesField(15, bytesField(2, "it broke"), varintField(3, 2)),
  ...fixed32Field(16, 0x101),
];

const fullResource = bytesField(
  1,
  bytesField(1, attribute("service.name", "shop")),
  varintField(2, 3),
  bytesField(
    3,
    bytesField(1, "schema"),
    bytesField(2, "service"),
    bytesField(3, "service.name"),
    bytesField(4, "host.name"),
  ),
);

const fullScope = bytesField(
  1,
  bytesField(1, "spanring.test"),
  bytesField(2, "1.2.3"),
  bytesField(3, attribute("scope", "yes")),
  varintField(4, 1),
);

/** One field of each wire type, with numbers that OTLP does not use. */
export const unknownFields = [
  varintField(1000, 1),
  fixed64Field(17, 2n),
  bytesField(18, "unknown"),
  fixed32Field(19, 3),
];

/** Valid requests by their special property. */
export const handBuiltRequests: Readonly<Record<string, Uint8Array>> = {
  "one short span": requestOf(1),
  "every field set": request(
    bytesField(
      1,
      fullResource,
      bytesField(2, fullScope, bytesField(2, fullSpanBody), bytesField(3, "scope schema")),
      bytesField(3, "resource schema"),
    ),
  ),
  "two resources, four scopes": request(
    bytesField(1, bytesField(2, span(1)), bytesField(2, fullScope, span(2), span(3)), fullResource),
    resourceSpans("bank"),
    bytesField(1, bytesField(2), bytesField(2, bytesField(3, "late"), span(4))),
  ),
  "unknown fields at every level": request(
    ...unknownFields,
    bytesField(
      1,
      ...unknownFields,
      bytesField(2, ...unknownFields, span(1, ...unknownFields), ...unknownFields, span(2)),
      ...unknownFields,
    ),
    ...unknownFields,
  ),
  "tags and lengths wider than they need be": request(
    wideBytesField(
      1,
      { tag: 3, length: 5 },
      wideBytesField(
        2,
        { tag: 5, length: 1 },
        wideBytesField(2, { tag: 1, length: 2 }, spanBody(1)),
        wideBytesField(
          2,
          { tag: 2, length: 1 },
          wideBytesField(1, { tag: 1, length: 5 }, traceId(2)),
          bytesField(2, spanId(2)),
        ),
      ),
    ),
  ),
  "a valid span between two that are not": request(
    bytesField(1, bytesField(2, bytesField(2, bytesField(5, "no ids")), span(1), bytesField(2))),
  ),
  "spans of a web server": serverRequest(2),
};
