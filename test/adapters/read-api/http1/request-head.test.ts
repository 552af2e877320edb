import { expect, test } from "bun:test";
import {
  MAX_HEAD_BYTES,
  readRequestHead,
  type RequestHead,
} from "../../../../src/adapters/read-api/http1/request-head.ts";

function headOf(text: string) {
  return readRequestHead(Buffer.from(text, "latin1"))?.head;
}

test("a head has a method, a URL and headers, and ends where the body begins", () => {
  const text = "POST /a?b=c HTTP/1.1\r\nHost: x:1\r\nAccept: \t a/b \r\nContent-Length: 2\r\n\r\n";

  const read = readRequestHead(Buffer.from(`${text}{}`));

  expect(read?.lengthBytes).toBe(text.length);
  expect(read?.head).toMatchObject({
    method: "POST",
    url: "http://x:1/a?b=c",
    bodyBytes: 2,
    isHttp11: true,
    isLast: false,
  });
  expect([...(read!.head as RequestHead).headers]).toEqual([
    ["accept", "a/b"],
    ["content-length", "2"],
    ["host", "x:1"],
  ]);
});

// A pattern that skipped the spaces took hours for a line of this length.
test("a line of spaces is refused without delay", () => {
  const text = `GET / HTTP/1.1\r\nHost: x\r\nA:${" ".repeat(MAX_HEAD_BYTES - 100)}\0\r\n\r\n`;

  expect(headOf(text)).toHaveProperty("fault");
});

test("an empty Host leaves the path as it is", () => {
  expect(headOf("GET /a HTTP/1.1\r\nHost:\r\n\r\n")).toMatchObject({ url: "http://localhost/a" });
});

test("a head is incomplete until its empty line has arrived", () => {
  const text = "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n";

  for (let length = 0; length < text.length; length += 1) {
    expect(headOf(text.slice(0, length))).toBeUndefined();
  }
  expect(headOf(text)).toMatchObject({ method: "GET", url: "http://x/" });
});

test("a client of HTTP/1.0 may omit Host, and gets one response", () => {
  expect(headOf("GET /a HTTP/1.0\r\n\r\n")).toMatchObject({
    url: "http://localhost/a",
    isHttp11: false,
    isLast: true,
  });
});

test.each(["close", "Close", "keep-alive, close"])("Connection: %s ends it", (value) => {
  const head = headOf(`GET / HTTP/1.1\r\nHost: x\r\nConnection: ${value}\r\n\r\n`);

  expect(head).toMatchObject({ isLast: true });
});

test("the length of a chunked body is unknown", () => {
  const head = headOf("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");

  expect(head).toMatchObject({ bodyBytes: undefined });
});

test.each([
  { fault: "without a path", text: "GET HTTP/1.1\r\nHost: x\r\n\r\n" },
  { fault: "of another version", text: "GET / HTTP/2.0\r\nHost: x\r\n\r\n" },
  { fault: "of TLS", text: "\x16\x03\x01\r\n\r\n" },
  { fault: "without Host", text: "GET / HTTP/1.1\r\n\r\n" },
  { fault: "whose Host has a path", text: "GET / HTTP/1.1\r\nHost: x/a?\r\n\r\n" },
  { fault: "whose Host has a user", text: "GET / HTTP/1.1\r\nHost: x@y\r\n\r\n" },
  { fault: "with two Hosts", text: "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" },
  { fault: "with a space before a colon", text: "GET / HTTP/1.1\r\nHost : x\r\n\r\n" },
  { fault: "with a folded header", text: "GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n" },
  { fault: "with a control character", text: "GET / HTTP/1.1\r\nHost: x\u0000\r\n\r\n" },
  {
    fault: "with two lengths",
    text: "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
  },
  {
    fault: "with a negative length",
    text: "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
  },
  {
    fault: "with a length and a coding",
    text: "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
  },
  {
    fault: "with 101 headers",
    text: `GET / HTTP/1.1\r\nHost: x\r\n${"A: b\r\n".repeat(100)}\r\n`,
  },
  { fault: "that is too long", text: `GET /${"a".repeat(MAX_HEAD_BYTES)}` },
  {
    fault: "that is complete, and too long",
    text: `GET /${"a".repeat(MAX_HEAD_BYTES)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  },
])("a head $fault is malformed", ({ text }) => {
  expect(headOf(text)).toEqual({ fault: expect.stringMatching(/\w/) });
});
