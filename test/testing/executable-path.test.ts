import { expect, test } from "bun:test";
import { executablePackage, executablePath } from "../../src/testing/executable-path.ts";

test.each([
  { platform: "linux", arch: "x64", glibcVersion: "2.36", is: "@spanring/linux-x64" },
  { platform: "linux", arch: "arm64", glibcVersion: undefined, is: "@spanring/linux-arm64-musl" },
  { platform: "darwin", arch: "arm64", glibcVersion: undefined, is: "@spanring/darwin-arm64" },
  { platform: "win32", arch: "x64", glibcVersion: undefined, is: "@spanring/win32-x64" },
])("the executable for $platform $arch is in $is", ({ is, ...platform }) => {
  expect(executablePackage(platform)).toBe(is);
});

test("SPANRING_BINARY replaces the executable of the package", () => {
  expect(executablePath({ SPANRING_BINARY: "/opt/spanring" })).toBe("/opt/spanring");
});

test("a missing package is named, with what to do", () => {
  const platform = { platform: "win32", arch: "x64" };

  expect(() => executablePath({}, platform)).toThrow(
    "the package @spanring/win32-x64 is not installed: install spanring with its optional",
  );
});
