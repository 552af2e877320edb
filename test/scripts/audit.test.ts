import { expect, test } from "bun:test";
import { join } from "node:path";
import { findings } from "../../scripts/audit.ts";

/** Returns a lock file with these packages, as `name@version`, and valid ones for every floor. */
function lockWith(...identities: string[]): string {
  const good = ["bun@1.4.4", "@grpc/grpc-js@1.14.5", "protobufjs@8.6.2", "protobufjs@7.5.6"];
  const entries = [...good, ...identities].map(
    (identity, at) => `"${at}": ["${identity}", "", {}],`,
  );
  return `{ // With commas, as Bun writes it.\n"packages": {\n${entries.join("\n")}\n}, }`;
}

test("the lock file of this project has no version below its floor", async () => {
  const lock = await Bun.file(join(import.meta.dir, "../../bun.lock")).text();

  expect(findings(lock, Bun.version)).toEqual([]);
});

test.each([
  { identity: "@grpc/grpc-js@1.14.4", floor: "1.14.5" },
  { identity: "protobufjs@8.6.1", floor: "8.6.2" },
  { identity: "protobufjs@7.5.5", floor: "7.5.6" },
  { identity: "protobufjs@6.11.4", floor: "8.6.2" },
  { identity: "bun@1.4.3", floor: "1.4.4" },
  { identity: "bun@1.4.4-canary.1", floor: "1.4.4" },
])("$identity is below its floor", ({ identity, floor }) => {
  const [found, ...others] = findings(lockWith(identity), "1.4.5");

  expect(found).toStartWith(`${identity.replace(/@(?=\d)/, " ")}: at least ${floor} is needed (`);
  expect(others).toEqual([]);
});

test.each(["@grpc/grpc-js@1.15.0", "protobufjs@8.10.0", "protobufjs@7.6.6", "left-pad@0.0.1"])(
  "%s is high enough",
  (identity) => {
    expect(findings(lockWith(identity), "1.4.5")).toEqual([]);
  },
);

test("the running Bun is checked as well", () => {
  expect(findings(lockWith(), "1.3.11")).toEqual([
    "bun 1.3.11: at least 1.4.4 is needed (out-of-bounds write in brotli)",
  ]);
});

test("a floor without a package is reported, because it checks nothing", () => {
  expect(findings('{ "packages": {} }', "1.4.5")).toEqual([
    "@grpc/grpc-js 1.14.5: not in bun.lock",
    "protobufjs 8.6.2: not in bun.lock",
    "protobufjs 7.5.6: not in bun.lock",
  ]);
});
