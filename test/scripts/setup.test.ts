import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { smallProject } from "../support/running/small-project.ts";
import type { SmallProject } from "../support/running/small-project.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const LINUX = "#!/bin/sh\ncase $1 in -s) echo Linux ;; -m) echo x86_64 ;; esac\n";
const LINUX_ARM = "#!/bin/sh\ncase $1 in -s) echo Linux ;; -m) echo aarch64 ;; esac\n";
const MAC = "#!/bin/sh\ncase $1 in -s) echo Darwin ;; -m) echo arm64 ;; esac\n";
const AMIGA = "#!/bin/sh\ncase $1 in -s) echo AmigaOS ;; -m) echo m68k ;; esac\n";
const GLIBC = "#!/bin/sh\necho 'ldd (GNU libc) 2.36'\n";
const MUSL = "#!/bin/sh\necho 'musl libc (x86_64)' >&2\nexit 1\n";

/** Replaces npm and another Bun: installs the running Bun as the one of the package. */
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

test("a fetched Bun is not fetched again", async () => {
  const project = await machineWith({ npm: CLIENT });
  await project.start();
  project.write("src/word.ts", 'export const word = "second";\n');

  const second = await project.start();

  expect(second).toMatchObject({ exitCode: 0, stdout: "second\n" });
  expect(second.stderr).not.toContain("fetching");
});

test.each([
  { name: "without npm", programs: { bun: CLIENT } },
  { name: "if npm fails", programs: { bun: CLIENT, npm: FAILING } },
])("another Bun fetches the pinned one $name", async ({ programs }) => {
  const project = await machineWith(programs);

  const done = await project.start();

  expect(done).toMatchObject({ exitCode: 0, stdout: "first\n" });
  expect(done.stderr).toContain("\nbun install --no-save ");
});

test.each([
  { name: "neither npm nor Bun", programs: {}, why: "it takes Node with npm, or Bun" },
  { name: "a registry that refuses", programs: { npm: FAILING }, why: "a way to the registry" },
  { name: "no Bun for its system", programs: { uname: AMIGA }, why: "no set-up for AmigaOS" },
])("the setup of a machine with $name fails with a reason", async ({ programs, why }) => {
  const project = await machineWith(programs);

  const done = await project.start();

  expect(done).toMatchObject({ exitCode: 1, stdout: "" });
  expect(done.stderr).toContain(why);
});

const REQUIREMENTS = "protobuf==1.2.3\n";

/** Runs the setup of the receivers in other languages twice. */
async function strictUpstreams(programs: Readonly<Record<string, string>>) {
  const project = await machineWith({ bun: process.execPath, ...EVERYDAY, ...programs });
  project.write("test/support/upstreams/strict-grpc/main.go", "package main\n");
  project.write("test/support/upstreams/strict-http/requirements.txt", REQUIREMENTS);
  project.write(
    "make.sh",
    "#!/bin/sh\nset -eu\nroot=$PWD\n. scripts/setup.sh\nmake_strict_upstreams\n",
  );
  const [first, second] = [await project.run("make.sh"), await project.run("make.sh")];
  const tools = join(project.folder, ".tools/strict-upstreams");
  const made = ["strict-grpc", "python/installed.txt"].map((name) => existsSync(join(tools, name)));
  return { first, second, made };
}

const EVERYDAY = { cp: Bun.which("cp")!, touch: Bun.which("touch")! };

/** Replace the tools of the languages. */
const GO = '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\n: >"$2"\nchmod +x "$2"\n';
const PYTHON = `#!/bin/sh
if [ "$2" = venv ]; then mkdir -p "$3/bin"; ln -s "$0" "$3/bin/python"; else echo "$*" >&2; fi
`;

test("receivers are built once, from pinned versions", async () => {
  const programs = { go: GO, python3: PYTHON, chmod: Bun.which("chmod")! };

  const { first, second, made } = await strictUpstreams(programs);

  expect(made).toEqual([true, true]);
  expect(first.stderr).toContain("building a receiver made of grpc-go");
  expect(first.stderr).toContain("-m pip install --quiet --disable-pip-version-check -r ");
  expect([second.exitCode, second.stderr]).toEqual([0, ""]);
});

test.each([
  { name: "without Go and Python", programs: {} },
  { name: "without access to their packages", programs: { go: FAILING, python3: FAILING } },
])("the setup of a machine $name skips the receivers with a message", async ({ programs }) => {
  const { first, second, made } = await strictUpstreams(programs);

  expect([first.exitCode, second.exitCode, ...made]).toEqual([0, 0, false, false]);
  expect(second.stderr).toContain("no receiver made of grpc-go: it takes Go");
  expect(second.stderr).toContain("no receiver made of Python's protobuf: it takes Python");
});

test("applications with SDKs are built once, and skipped with a message without Go", async () => {
  const programs = { bun: process.execPath, ...EVERYDAY, chmod: Bun.which("chmod")! };
  const setUp = "#!/bin/sh\nset -eu\nroot=$PWD\n. scripts/setup.sh\nmake_sdk_clients\n";
  const runsOf = async (languages: Readonly<Record<string, string>>) => {
    const project = await machineWith({ ...programs, ...languages });
    project.write("test/support/sdk/go/main.go", "package main\n");
    project.write("test/support/sdk/python/requirements.txt", REQUIREMENTS);
    project.write("make.sh", setUp);
    return [await project.run("make.sh"), await project.run("make.sh")];
  };

  const [first, second] = await runsOf({ go: GO, python3: PYTHON });
  const [missing] = await runsOf({});

  expect(first!.stderr).toContain("building an application with the SDK of Go");
  expect(first!.stderr).toContain("installing an application with the SDK of Python");
  expect([second!.exitCode, second!.stderr]).toEqual([0, ""]);
  expect(missing!.exitCode).toBe(0);
  expect(missing!.stderr).toContain("no application with the SDK of Go: it takes Go");
  expect(missing!.stderr).toContain("no application with the SDK of Python: it takes Python");
});

/** Replaces Maven: writes one file into the folder of the jars. */
const MAVEN = `#!/bin/sh
for option; do case $option in -DoutputDirectory=*) jars=\${option#*=} ;; esac; done
mkdir -p "$jars"
: >"$jars/kafka.jar"
`;

test("Kafka is fetched once, and left out with a message without Java and Maven", async () => {
  const programs = { bun: process.execPath, cmp: Bun.which("cmp")!, cp: Bun.which("cp")! };
  const setUp = "#!/bin/sh\nset -eu\nroot=$PWD\n. scripts/setup.sh\nmake_kafka\nmake_old_kafka\n";
  const runsOf = async (tools: Readonly<Record<string, string>>) => {
    const project = await machineWith({ ...programs, ...tools });
    for (const version of ["", "oldest/", "too-old/"]) {
      project.write(`test/support/upstreams/kafka/${version}pom.xml`, "<project/>\n");
    }
    project.write("make.sh", setUp);
    const runs = [await project.run("make.sh"), await project.run("make.sh")];
    const folders = ["kafka", "kafka-oldest", "kafka-too-old"];
    const jars = folders.map((name) => join(project.folder, ".tools", name, "jars/kafka.jar"));
    return { runs, jars: jars.filter((jar) => existsSync(jar)).length };
  };

  const made = await runsOf({ java: "#!/bin/sh\n", mvn: MAVEN });
  const without = await runsOf({});
  const refused = await runsOf({ java: "#!/bin/sh\n", mvn: FAILING });

  expect(made.runs.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(made.runs.map(({ stderr }) => stderr.split("\n"))).toEqual([
    [
      "spanring: fetching Apache Kafka",
      "spanring: fetching Apache Kafka (oldest)",
      "spanring: fetching Apache Kafka (too-old)",
      "",
    ],
    [""],
  ]);
  expect([made.jars, without.jars]).toEqual([3, 0]);
  for (const { exitCode, stderr } of [...without.runs, ...refused.runs]) {
    expect(exitCode).toBe(0);
    expect(stderr).toContain("no Apache Kafka: it takes Java, Maven");
  }
});

/** Replaces Debian's package manager: installs Java and Maven, and says what it was told to. */
const APT = `#!/bin/sh
echo "apt-get $*" >&2
case $* in *install*) ;; *) exit ;; esac
printf '#!/bin/sh\\n' >programs/java
ln -s ../maven.sh programs/mvn
chmod +x programs/java maven.sh
`;

const ROOT_USER = "#!/bin/sh\necho 0\n";

test.each([
  { who: "root on Debian", tools: { "apt-get": APT, id: ROOT_USER }, isFetched: true },
  { who: "another user", tools: { "apt-get": APT, id: "#!/bin/sh\necho 7\n" }, isFetched: false },
  { who: "root elsewhere", tools: { id: ROOT_USER }, isFetched: false },
  {
    who: "root without access to the packages",
    tools: { "apt-get": FAILING, id: ROOT_USER },
    isFetched: false,
  },
])("without Java, $who gets Kafka: $isFetched", async ({ tools, isFetched }) => {
  const everyday = ["cmp", "cp", "chmod"].map((name) => [name, Bun.which(name)!] as const);
  const project = await machineWith({
    bun: process.execPath,
    ...Object.fromEntries(everyday),
    ...tools,
  });
  project.write("test/support/upstreams/kafka/pom.xml", "<project/>\n");
  project.write("maven.sh", MAVEN);
  project.write("make.sh", "#!/bin/sh\nset -eu\nroot=$PWD\n. scripts/setup.sh\nmake_kafka\n");

  const { exitCode, stderr } = await project.run("make.sh");

  const packages = "install --yes --no-install-recommends default-jre-headless maven";
  expect(exitCode).toBe(0);
  expect(stderr.includes(packages)).toBe(isFetched);
  expect(stderr.includes("no Apache Kafka: it takes Java, Maven")).toBe(!isFetched);
  expect(existsSync(join(project.folder, ".tools/kafka/jars/kafka.jar"))).toBe(isFetched);
});

const SAYING = '#!/bin/sh\necho "apt-get $*" >&2\n';

test.each([
  { who: "root on Debian", tools: { "apt-get": SAYING, id: ROOT_USER }, isInstalled: true },
  {
    who: "another user",
    tools: { "apt-get": SAYING, id: "#!/bin/sh\necho 7\n" },
    isInstalled: false,
  },
  { who: "root elsewhere", tools: { id: ROOT_USER }, isInstalled: false },
])("without strace and rpm, $who gets them: $isInstalled", async ({ tools, isInstalled }) => {
  const project = await machineWith({ bun: process.execPath, ...tools });
  const setUp = "#!/bin/sh\nset -eu\nroot=$PWD\n. scripts/setup.sh\nmake_debian_tools\n";
  project.write("make.sh", setUp);

  const { exitCode, stderr } = await project.run("make.sh");

  expect(exitCode).toBe(0);
  for (const tool of ["strace", "rpm"]) {
    const install = `install --yes --no-install-recommends ${tool}\n`;
    expect(stderr.includes(install)).toBe(isInstalled);
    expect(stderr.includes(`spanring: no ${tool}`)).toBe(!isInstalled);
  }
});

test("pytest is installed once, and left out with a message without Python", async () => {
  const setUp = "#!/bin/sh\nset -eu\nroot=$PWD\n. scripts/setup.sh\nmake_pytest\n";
  const runsOf = async (languages: Readonly<Record<string, string>>) => {
    const project = await machineWith({ bun: process.execPath, ...EVERYDAY, ...languages });
    project.write("test/support/runners/requirements.txt", REQUIREMENTS);
    project.write("make.sh", setUp);
    return [await project.run("make.sh"), await project.run("make.sh")];
  };

  const [first, second] = await runsOf({ python3: PYTHON });
  const [missing] = await runsOf({});

  expect(first!.stderr).toContain("installing pytest");
  expect([second!.exitCode, second!.stderr]).toEqual([0, ""]);
  expect([missing!.exitCode, missing!.stderr]).toEqual([
    0,
    "spanring: no pytest: it takes Python with pip\n",
  ]);
});

test("tests that do not run are counted as skipped", async () => {
  const project = await machineWith({ bun: process.execPath });
  const tally = join(project.folder, "tally");
  const module = JSON.stringify(join(import.meta.dir, "../support/running/not-run.ts"));
  const code = `import { notRun } from ${module}; notRun(1, "no moon"); notRun(12, "no sun");`;
  const env = { ...process.env, SPANRING_NOT_RUN: tally };
  const { stderr } = Bun.spawnSync([process.execPath, "-e", code], { env });
  project.write("sum.sh", "#!/bin/sh\nset -eu\nroot=$PWD\n. scripts/setup.sh\nsum_lines tally\n");

  const { stdout } = await project.run("sum.sh");

  expect(stderr.toString()).toBe("1 test not run: no moon\n12 tests not run: no sun\n");
  expect(stdout).toBe("13\n");
});
