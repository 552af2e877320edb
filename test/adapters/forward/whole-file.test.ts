import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isWholeFile } from "../../../src/adapters/forward/rotating-file.ts";
import { frameRequest } from "../../../src/adapters/otlp-files/message-frames.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

const path = join(temporaryFolder(), "file");

test.each(["json", "proto"] as const)(
  "a file of %s is whole only if it ends with a frame",
  async (format) => {
    const frames = [requestOf(1), requestOf(0), requestOf(2)].map((request) =>
      frameRequest(request, format),
    );
    const ends = frames.map((_, at) => Buffer.concat(frames.slice(0, at)).length);
    const file = Buffer.concat(frames);
    const whole: number[] = [];

    for (let length = 0; length <= file.length; length += 1) {
      writeFileSync(path, file.subarray(0, length));
      if (await isWholeFile(path, format)) whole.push(length);
    }

    expect(whole).toEqual([...ends, file.length]);
  },
);

test("a missing file is an error", async () => {
  await expect(isWholeFile(join(path, "nowhere"), "json")).rejects.toThrow("ENOTDIR");
});
