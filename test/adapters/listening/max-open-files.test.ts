import { expect, test } from "bun:test";
import { maxOpenFiles } from "../../../src/adapters/listening/max-open-files.ts";

const ROOT = `${import.meta.dir}/../../..`;
const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max core file size        0                    unlimited            bytes
Max open files            1024                 524288               files
`;

function noSuchFile(): string {
  throw new Error("ENOENT");
}

test.each([
  { name: "limits with a number", read: () => LIMITS, files: 1024 },
  {
    name: "no limit",
    read: () => LIMITS.replace("1024 ", "unlimited "),
    files: Number.POSITIVE_INFINITY,
  },
  { name: "other lines only", read: () => "", files: Number.POSITIVE_INFINITY },
  { name: "a system without it", read: noSuchFile, files: Number.POSITIVE_INFINITY },
])("with $name, $files files may be open", ({ read, files }) => {
  expect(maxOpenFiles(read)).toBe(files);
});

test("the limit of this process is the one that the shell reports", () => {
  const module = JSON.stringify(`${ROOT}/src/adapters/listening/max-open-files.ts`);
  const code = `console.log((await import(${module})).maxOpenFiles())`;
  const limited = ["sh", "-c", 'ulimit -n 777 && exec "$@"', "sh", process.execPath, "-e", code];

  expect(Bun.spawnSync(limited).stdout.toString()).toBe("777\n");
});
