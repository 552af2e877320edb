import { expect, test } from "bun:test";
import { concealHeaders, parseExportHeaders } from "../../../src/domain/text/export-headers.ts";

test.each<{ text: string; headers: [string, string][] }>([
  { text: "", headers: [] },
  { text: "api-key=secret", headers: [["api-key", "secret"]] },
  {
    text: " Authorization = Basic%20dTpw , x-tenant=a ",
    headers: [
      ["authorization", "Basic dTpw"],
      ["x-tenant", "a"],
    ],
  },
  { text: "a=b=c==", headers: [["a", "b=c=="]] },
  { text: "a=", headers: [["a", ""]] },
  { text: "a=1,", headers: [["a", "1"]] },
  { text: "a=x%2Cy%3D", headers: [["a", "x,y="]] },
  {
    text: "a=1\nb=2\r\n\n",
    headers: [
      ["a", "1"],
      ["b", "2"],
    ],
  },
])("$text is parsed as headers", ({ text, headers }) => {
  expect(parseExportHeaders(text)).toEqual(headers);
});

test.each([
  "a",
  "=a",
  "a b=c",
  "a:b=c",
  "ä=c",
  "a=%",
  "a=%zz",
  "a=%0d%0aevil: 1",
  "a=%00",
  "a=ü",
  "a=%C3%BC",
  "a=1,b",
  "content-type=text/plain",
  "Content-Length=1",
  "content-encoding=gzip",
  "host=example.com",
  "te=trailers",
  "Connection=close",
  "keep-alive=timeout=5",
  "upgrade=h2c",
  "proxy-connection=keep-alive",
  "http2-settings=AAAA",
  "a!b=1",
  "a~b=1",
  "User-Agent=mine",
  "grpc-timeout=1S",
  "trace-bin=AAAA",
])("%p is not a list of valid headers", (text) => {
  expect(parseExportHeaders(text)).toBeUndefined();
});

test("names of headers are shown, and values are not", () => {
  expect(concealHeaders("api-key=secret, x-tenant=a")).toBe("api-key=***,x-tenant=***");
  expect(concealHeaders("api-key: secret")).toBe("***");
  expect(concealHeaders("")).toBe("");
});
