import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import lock from "../../bun.lock" with { type: "jsonc" };
import program from "../../package.json" with { type: "json" };
import { linkedLibraries, type Sbom, sbomOf } from "../../scripts/sbom.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const ROOT = join(import.meta.dir, "../..");
const MAIN = join(ROOT, "src", "main.ts");
const LOCKED = new Set(Object.values(lock.packages).map(([id]) => id));

const sbom: Sbom = await sbomOf(MAIN);
const libraries = sbom.components.filter(({ type }) => type === "library");
const nameOf = ({ group, name }: Sbom["components"][number]) =>
  group === undefined ? name : `${group}/${name}`;

describe("the bill of materials", () => {
  test("is a CycloneDX document about this program", () => {
    expect(sbom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1 });
    expect(sbom.metadata.component).toMatchObject({
      type: "application",
      name: "spanring",
      version: program.version,
      licenses: [{ license: { id: "Apache-2.0" } }],
    });
  });

  test("lists the packages that the program needs, and none for development", () => {
    const names = libraries.map(nameOf);
    // The client of Kafka needs ajv too.
    const development = new Set(Object.keys(program.devDependencies)).difference(new Set(["ajv"]));

    expect(names).toEqual(expect.arrayContaining(Object.keys(program.dependencies)));
    expect(names.filter((name) => development.has(name))).toEqual([]);
    // A dependency of gRPC's loader, which the bundler leaves out.
    expect(names).not.toContain("yargs");
  });

  test("lists both versions of a package that is bundled twice", () => {
    const majors = libraries
      .filter(({ name, group }) => name === "protobufjs" && group === undefined)
      .map(({ version }) => version?.split(".")[0]);

    expect(majors).toEqual(["7", "8"]);
  });

  test.each(libraries.map((each) => [nameOf(each), each] as const))(
    "has the locked version, the checksum and the license of %s",
    (name, { version, hashes, licenses, purl }) => {
      expect(LOCKED).toContain(`${name}@${version}`);
      expect(hashes).toEqual([
        { alg: "SHA-512", content: expect.stringMatching(/^[\da-f]{128}$/) },
      ]);
      expect(licenses.length).toBe(1);
      expect(purl).toBe(`pkg:npm/${name.replace("@", "%40")}@${version}`);
    },
  );

  test("contains the changes to packages that are patched, and names no others", () => {
    const changed = libraries.filter(({ pedigree }) => pedigree !== undefined);

    expect(changed.map((each) => `${nameOf(each)}@${each.version}`)).toEqual(
      Object.keys(program.patchedDependencies),
    );
    expect(JSON.stringify(changed)).toContain("setCRC32C");
  });

  test("lists the runtime and every library that its documentation names", () => {
    const page = readFileSync(
      join(ROOT, "node_modules/bun-types/docs/project/license.mdx"),
      "utf8",
    );
    const table = page.split("## Linked libraries")[1]!.split("\n## ")[0]!;
    const rows = table.split("\n").filter((line) => line.startsWith("| ") && line.includes("]("));
    const runtime = sbom.components.find(({ type }) => type === "platform");
    const linked = (runtime?.components ?? []).map(({ name }) => name);

    expect(runtime).toMatchObject({ name: "bun", version: program.devDependencies.bun });
    expect(linked.length).toBe(rows.length + 1);
    expect(linked).toEqual(expect.arrayContaining(["JavaScriptCore", "boringssl", "zstd"]));
  });

  test("connects every component with the program", () => {
    const known = new Map(sbom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    const reached = new Set<string>();
    const visit = (ref: string): void => {
      if (reached.has(ref)) return;
      reached.add(ref);
      for (const next of known.get(ref) ?? []) visit(next);
    };
    visit(sbom.metadata.component["bom-ref"]);

    const listed = sbom.components.map((component) => component["bom-ref"]);
    expect(listed.filter((ref) => !reached.has(ref))).toEqual([]);
    expect([...reached].toSorted()).toEqual(
      [...listed, sbom.metadata.component["bom-ref"]].toSorted(),
    );
  });

  test("has unique references", () => {
    const nested = sbom.components.flatMap((each) => [each, ...(each.components ?? [])]);
    const refs = nested.map((each) => each["bom-ref"]);

    expect(new Set(refs).size).toBe(refs.length);
  });
});

test("the command writes the same bytes each time, without a time or a path", () => {
  const [one, other] = [join(temporaryFolder(), "a.json"), join(temporaryFolder(), "b.json")];
  for (const [outfile, cwd] of [
    [one, ROOT],
    [other, temporaryFolder()],
  ] as const) {
    const script = join(ROOT, "scripts/sbom.ts");
    const { exitCode } = Bun.spawnSync([process.execPath, script, `--outfile=${outfile}`], { cwd });
    expect(exitCode).toBe(0);
  }
  const text = readFileSync(one, "utf8");

  expect(readFileSync(other, "utf8")).toBe(text);
  expect(JSON.parse(text)).toEqual(sbom);
  expect(text).not.toContain(ROOT);
  expect(text).not.toMatch(/timestamp|serialNumber|\d{4}-\d{2}-\d{2}T/);
});

test("licenses have the words of the page, without its links", () => {
  const page = [
    "## Linked libraries",
    "| Library | License |",
    "| ------- | ------- |",
    "| [`one`](https://one.example) 78 | [the one license](https://one.example/LICENSE) |",
    "| A fork of [`two`](https://two.example) | MIT |",
    "| Parts of [three's code](https://three.example) | Apache 2.0 |",
    "",
    "## Polyfills",
    "| [`four`](https://four.example) | MIT |",
  ].join("\n");

  expect(
    linkedLibraries(page).map(({ name, licenses, externalReferences }) => {
      return { name, licenses, url: externalReferences?.[0]?.url };
    }),
  ).toEqual([
    {
      name: "one",
      licenses: [{ license: { name: "the one license" } }],
      url: "https://one.example",
    },
    { name: "two", licenses: [{ license: { name: "MIT" } }], url: "https://two.example" },
    {
      name: "three's code",
      licenses: [{ license: { name: "Apache 2.0" } }],
      url: "https://three.example",
    },
  ]);
});
