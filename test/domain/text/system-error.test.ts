import { expect, test } from "bun:test";
import { systemErrorText } from "../../../src/domain/text/system-error.ts";

const errorOf = (code: string, message: string) => Object.assign(new Error(message), { code });

test.each([
  { code: "ENOENT", reason: "no such file or folder" },
  { code: "EACCES", reason: "permission denied" },
  { code: "EISDIR", reason: "it is a folder, not a file" },
  { code: "EIO", reason: "the device reports a read or write error" },
  { code: "ENOSPC", reason: "no space is left on the device" },
])("$code is described in words", ({ code, reason }) => {
  expect(systemErrorText(errorOf(code, `${code}: raw text, open 'x'`))).toBe(reason);
  expect(systemErrorText(new Error(`${code}: raw text, read`))).toBe(reason);
});

test("a code without a description keeps the system's text, without call and path", () => {
  const error = errorOf("EDOM", "EDOM: argument out of domain, open '/secret/\u001b[31m'");

  expect(systemErrorText(error)).toBe("EDOM: argument out of domain");
});

test.each([
  { error: new Error("it is not a folder, but a pipe"), text: "it is not a folder, but a pipe" },
  { error: new Error("EIEIO and \u001b[31mred"), text: "EIEIO and \\x1b[31mred" },
  { error: "just text", text: "just text" },
  { error: Object.assign(new Error("with a number"), { code: 5 }), text: "with a number" },
])("$text, which is not a system error, is unchanged", ({ error, text }) => {
  expect(systemErrorText(error)).toBe(text);
});
