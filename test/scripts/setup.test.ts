import { expect, test } from "bun:test";
import { smallProject } from "../support/running/small-project.ts";
import type { SmallProject } from "../support/running/small-project.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const LINUX = "#!/bin/sh\ncase $1 in -s) echo Linux ;; -m) echo x86_64 ;; esac\n";
const LINUX_ARM = "#!/bin/sh\ncase $1 in -s) echo Linux ;; -m) echo aarch64 ;; esac\n";
const MAC = "#!/bin/sh\ncase $1 in -s) echo Darwin ;; -m) echo arm64 ;; esac\n";
const AMIGA = "#!/bin/sh\ncase $1 in -s) echo AmigaOS ;; -m) echo m68k ;; esac\n";
const GLIBC = "#!/bin/sh\necho 'ldd (GNU libc) 2.36'\n";
const MUSL = "#!/bin/sh\necho 'musl libc (x86_64)' >&2\nexit 1\n";

/** Stands in for npm and for another Bun: puts the running Bun where a package's would be. */
const CLIENT = `#!/bin/sh
if [ "$1" = --version ]; then echo 1.0.0; exit; fi
echo "$(basename "$0") $*: $(cat package.json)" >&2
name=$(sed -n 's/.*"\\(@oven[^"]*\\)".*/\\1/p' package.json)
mkdir -p "node_modules/$name/bin"
ln -s "${process.execPath}" "node_modules/$name/bin/bun"
`;
const FAILING = "#!/bin/sh\nexit 1\n";

function machineWith(programs: Readonly<Record<string, string>>): Promise<SmallProject> {
  return smallProject(temporaryFolder(), { uname: LINUX, ldd: GLIBC, ...programs });
}

test.each([
  { system: "Linux", programs: { npm: CLIENT }, name: "@oven/bun-linux-x64" },
  {
    system: "Linux on ARM",
    programs: { npm: CLIENT, uname: LINUX_ARM },
    name: "@oven/bun-linux-aarch64",
  },
  {
    system: "Linux with musl",
    programs: { npm: CLIENT, ldd: MUSL },
    name: "@oven/bun-linux-x64-musl",
  },
  { system: "a Mac", programs: { npm: CLIENT, uname: MAC }, name: "@oven/bun-darwin-aarch64" },
])("on $system with npm alone, the pinned $name is fetched", async ({ programs, name }) => {
  const project = await machineWith(programs);

  const first = await project.start();

  expect(first).toMatchObject({ exitCode: 0, stdout: "first\n" });
  expect(first.stderr).toContain(`spanring: fetching ${name} ${Bun.version}\nnpm install `);
  expect(first.stderr).toContain(`"dependencies": { "${name}": "${Bun.version}" }`);
});

test("what was fetched is found again", async () => {
  const project = await machineWith({ npm: CLIENT });
  await project.start();
  project.write("src/word.ts", 'export const word = "second";\n');

  const second = await project.start();

  expect(second).toMatchObject({ exitCode: 0, stdout: "second\n" });
  expect(second.stderr).not.toContain("fetching");
});

test.each([
  { name: "with another Bun alone", programs: { bun: CLIENT } },
  { name: "where npm fails", programs: { bun: CLIENT, npm: FAILING } },
])("$name, that Bun fetches the pinned one", async ({ programs }) => {
  const project = await machineWith(programs);

  const done = await project.start();

  expect(done).toMatchObject({ exitCode: 0, stdout: "first\n" });
  expect(done.stderr).toContain("\nbun install --no-save ");
});

test.each([
  { name: "neither npm nor Bun", programs: {}, why: "it takes Node with npm, or Bun" },
  { name: "a registry that refuses", programs: { npm: FAILING }, why: "a way to the registry" },
  { name: "no Bun for its system", programs: { uname: AMIGA }, why: "no set-up for AmigaOS" },
])("a machine with $name is told so", async ({ programs, why }) => {
  const project = await machineWith(programs);

  const done = await project.start();

  expect(done).toMatchObject({ exitCode: 1, stdout: "" });
  expect(done.stderr).toContain(why);
});
