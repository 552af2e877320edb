import { expect, test } from "bun:test";
import { openingOf } from "../../../src/adapters/otlp-grpc/opening.ts";
import { GREETING } from "../../support/grpc/grpc-wire.ts";

/** What a client of OpenSSL sends first: a record of the handshake, then a ClientHello. */
const CLIENT_HELLO = Buffer.from("16030100c8010000c40303", "hex");

test.each([
  { name: "the preface", head: GREETING, opening: "http2" },
  { name: "an export over HTTP/1.1", head: "POST /v1/traces HTTP/1.1\r\n", opening: "http1" },
  { name: "a probe", head: "GET / HTTP/1.1\r\n", opening: "http1" },
  { name: "a method that begins as the preface", head: "PROPFIND /x", opening: "http1" },
  { name: "a ClientHello", head: CLIENT_HELLO, opening: "tls" },
  { name: "the same byte in front of something else", head: [0x16, 0x04], opening: "other" },
  { name: "zeros", head: [0, 0], opening: "other" },
  { name: "lower case", head: "post / HTTP/1.1\r\n", opening: "other" },
  { name: "a method without end", head: "A".repeat(17), opening: "other" },
  { name: "a line break behind the method", head: "GET \r\n", opening: "other" },
  { name: "HTTP/2 in another version", head: "PRI * HTTP/3.0\r\n", opening: "http1" },
])("$name is $opening", ({ head, opening }) => {
  expect<unknown>(openingOf(Buffer.from(head as string))).toBe(opening);
});

test.each<{ name: string; whole: Buffer | string; least: number }>([
  { name: "the preface", whole: GREETING, least: 16 },
  { name: "HTTP/1.1", whole: "POST /v1/traces", least: 6 },
  { name: "TLS", whole: CLIENT_HELLO, least: 2 },
])("$name is told from its first $least bytes on, and not before", ({ whole, least }) => {
  const bytes = Buffer.from(whole as string);

  const early = Array.from(Array(least).keys(), (length) => openingOf(bytes.subarray(0, length)));

  expect(early).toEqual(Array(least).fill(undefined));
  expect(openingOf(bytes.subarray(0, least))).toBe(openingOf(bytes)!);
});
