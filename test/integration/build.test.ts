import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildBinary, bundleKafkaClient, defaultOutfile } from "../../scripts/build.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const ROOT = join(import.meta.dir, "../..");
const PROGRAM = join(ROOT, "src", "main.ts");

function sha256(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

test("two builds are identical and contain no path of this machine", async () => {
  const one = join(temporaryFolder(), "spanring");
  const other = join(temporaryFolder(), "deeper", "spanring");

  await buildBinary({ entrypoint: PROGRAM, outfile: one });
  await buildBinary({ entrypoint: PROGRAM, outfile: other });

  const bytes = readFileSync(one);
  expect(sha256(readFileSync(other))).toBe(sha256(bytes));
  expect(bytes.includes(join(ROOT, "node_modules"))).toBe(false);
  expect(bytes.includes(join(ROOT, "src"))).toBe(false);
});

test("an executable is one file at the requested path", async () => {
  const folder = temporaryFolder();
  const entrypoint = join(temporaryFolder(), "hello.ts");
  writeFileSync(entrypoint, 'console.log("hello");\n');

  const path = await buildBinary({ entrypoint, outfile: join(folder, "hello") });

  expect(path).toBe(join(folder, "hello"));
  expect(readdirSync(folder)).toEqual(["hello"]);
  expect(Bun.spawnSync([path]).stdout.toString()).toBe("hello\n");
});

test("an executable ignores configuration files in its working directory", async () => {
  const folder = temporaryFolder();
  const entrypoint = join(temporaryFolder(), "main.ts");
  writeFileSync(entrypoint, 'console.log(process.env["MAX_BUFFER_SIZE"]);\n');
  writeFileSync(join(folder, ".env"), "MAX_BUFFER_SIZE=7\n");
  writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  writeFileSync(join(folder, "preload.ts"), 'console.log("preloaded");\n');

  const path = await buildBinary({ entrypoint, outfile: join(folder, "program") });
  const { stdout } = Bun.spawnSync([path], { cwd: folder, env: {} });

  expect(stdout.toString()).toBe("undefined\n");
});

test("an error names its line in the source without a separate source map", async () => {
  const sources = temporaryFolder();
  const entrypoint = join(sources, "failing.ts");
  writeFileSync(
    entrypoint,
    '// A comment.\nexport function fail() {\n  throw new Error("no");\n}\nfail();\n',
  );

  const path = await buildBinary({ entrypoint, outfile: join(temporaryFolder(), "failing") });
  const { stderr, exitCode } = Bun.spawnSync([path], { cwd: "/" });

  expect(stderr.toString()).toContain("failing.ts:3:");
  expect(exitCode).toBe(1);
});

test("the embedded client of Kafka compiles no schemas, which takes long", async () => {
  const source = await bundleKafkaClient();

  const text = new TextDecoder().decode(source);
  expect(text).toContain("initProducerId");
  expect(["avro", "strictSchema"].filter((word) => text.includes(word))).toEqual([]);
});

test("a failed build leaves no file", async () => {
  const folder = temporaryFolder();
  const entrypoint = join(temporaryFolder(), "broken.ts");
  writeFileSync(entrypoint, 'import "./missing.ts";\n');

  const build = buildBinary({ entrypoint, outfile: join(folder, "broken") });
  const failure = await build.catch((error: unknown) => error);

  expect(failure).toBeInstanceOf(Error);
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  [undefined, "spanring"],
  ["bun-linux-arm64", "spanring-linux-arm64"],
  ["bun-darwin-arm64", "spanring-darwin-arm64"],
])("the file for the target %p is %s", (target, name) => {
  expect(defaultOutfile(target)).toBe(join(ROOT, "dist", name));
});
