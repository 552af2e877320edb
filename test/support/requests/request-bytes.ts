import { bytesField, fixed32Field, fixed64Field, varintField } from "./wire-bytes.ts";

/** Returns an identifier that differs from span to span and is never all zero. */
export function traceId(number: number): number[] {
  return [0xab, ...Array<number>(11).fill(7), ...bigEndian(number)];
}

export function spanId(number: number): number[] {
  return [0xcd, 1, 2, 3, ...bigEndian(number)];
}

function bigEndian(number: number): number[] {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff);
}

export function attribute(key: string, value: string): number[] {
  return [...bytesField(1, key), ...bytesField(2, bytesField(1, value))];
}

/** Returns the shortest valid span: its two identifiers and its name. */
export function spanBody(number: number, ...more: number[][]): number[] {
  return [
    ...bytesField(1, traceId(number)),
    ...bytesField(2, spanId(number)),
    ...bytesField(5, `span ${number}`),
    ...more.flat(),
  ];
}

export function span(number: number, ...more: number[][]): number[] {
  return bytesField(2, spanBody(number, ...more));
}

/**
 * Returns the ResourceSpans field of a request, with one scope; `spans` are fields made by `span`.
 */
export function resourceSpans(service: string, ...spans: number[][]): number[] {
  const resource = bytesField(1, bytesField(1, attribute("service.name", service)));
  const scope = bytesField(1, bytesField(1, "spanring.test"), bytesField(2, "1.2.3"));
  return bytesField(1, resource, bytesField(2, scope, ...spans, bytesField(3, "scope schema")));
}

export function request(...parts: number[][]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flat());
}

/** Returns a request of `spanCount` short spans, numbered from `first`. */
export function requestOf(spanCount: number, first = 1): Uint8Array<ArrayBuffer> {
  const spans = Array.from({ length: spanCount }, (_, index) => span(first + index));
  return request(resourceSpans("shop", ...spans));
}

/** Returns a span as the SDK of a web server emits it: about 370 bytes, eight attributes. */
export function serverSpan(number: number): number[] {
  return span(
    number,
    varintField(6, 2),
    fixed64Field(7, 1_700_000_000_000_000_000n + BigInt(number)),
    fixed64Field(8, 1_700_000_000_005_000_000n + BigInt(number)),
    bytesField(9, attribute("http.request.method", "GET")),
    bytesField(9, attribute("url.path", "/api/v1/orders/42")),
    bytesField(9, attribute("url.scheme", "https")),
    bytesField(9, attribute("server.address", "shop.example.com")),
    bytesField(9, bytesField(1, "server.port"), bytesField(2, varintField(3, 443))),
    bytesField(9, bytesField(1, "http.response.status_code"), bytesField(2, varintField(3, 200))),
    bytesField(9, attribute("http.route", "/api/v1/orders/{id}")),
    bytesField(9, attribute("user_agent.original", "Mozilla/5.0 (X11; Linux) Gecko/2010")),
    bytesField(15, varintField(3, 1)),
    fixed32Field(16, 0x101),
  );
}

export function serverRequest(spanCount: number): Uint8Array<ArrayBuffer> {
  const spans = Array.from({ length: spanCount }, (_, index) => serverSpan(index + 1));
  return request(resourceSpans("shop", ...spans));
}
