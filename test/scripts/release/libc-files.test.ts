import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkLibc } from "../../../scripts/release/libc-files.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

test("a C library with another checksum is refused", () => {
  const path = join(temporaryFolder(), "libc6.deb");
  writeFileSync(path, "other");

  expect(() => checkLibc(path, "arm64")).toThrow(
    /^libc6 \S+ for arm64 has the SHA-256 [0-9a-f]{64}; expected [0-9a-f]{64}$/,
  );
});
