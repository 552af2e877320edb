import { expect, test } from "bun:test";
import { cgroupMemoryLimit } from "../../../src/adapters/memory/cgroup-limit.ts";

const MIB = 1024 * 1024;
const V2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";
const V1 = "36 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
const V1_CPU = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu";
const UNLIMITED_V1 = "9223372036854771712";

/** The files of a machine; what is not among them cannot be read. */
function limitOn(files: Readonly<Record<string, string>>): number | undefined {
  return cgroupMemoryLimit((path) => files[path]);
}

test("version 2: the limit of the process's own group", () => {
  expect(
    limitOn({
      "/proc/self/cgroup": "0::/system.slice/spanring.service\n",
      "/proc/self/mountinfo": `${V1_CPU}\n${V2}\n`,
      "/sys/fs/cgroup/system.slice/spanring.service/memory.max": `${128 * MIB}\n`,
      "/sys/fs/cgroup/system.slice/memory.max": "max\n",
    }),
  ).toBe(128 * MIB);
});

test("version 2: a group above may have a lower limit", () => {
  expect(
    limitOn({
      "/proc/self/cgroup": "0::/kubepods/burstable/pod1/container2\n",
      "/proc/self/mountinfo": V2,
      "/sys/fs/cgroup/kubepods/burstable/pod1/container2/memory.max": `${512 * MIB}\n`,
      "/sys/fs/cgroup/kubepods/burstable/pod1/memory.max": `${256 * MIB}\n`,
      "/sys/fs/cgroup/kubepods/burstable/memory.max": "max\n",
      "/sys/fs/cgroup/kubepods/memory.max": `${1024 * MIB}\n`,
    }),
  ).toBe(256 * MIB);
});

test("version 2: in a container, its group is the root", () => {
  expect(
    limitOn({
      "/proc/self/cgroup": "0::/\n",
      "/proc/self/mountinfo": V2,
      "/sys/fs/cgroup/memory.max": `${64 * MIB}\n`,
    }),
  ).toBe(64 * MIB);
});

test("version 1: the group's limit, and those above", () => {
  expect(
    limitOn({
      "/proc/self/cgroup": "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n",
      "/proc/self/mountinfo": `${V1_CPU}\n${V1}\n`,
      "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": `${UNLIMITED_V1}\n`,
      "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes": `${96 * MIB}\n`,
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": `${UNLIMITED_V1}\n`,
    }),
  ).toBe(96 * MIB);
});

test("version 1: memory may share its hierarchy with other controllers", () => {
  expect(
    limitOn({
      "/proc/self/cgroup": "4:cpu,memory:/a\n",
      "/proc/self/mountinfo": "36 31 0:32 / /cg\\040roups rw - cgroup none rw,cpu,memory",
      "/cg roups/a/memory.limit_in_bytes": "1048576",
    }),
  ).toBe(MIB);
});

// A container that sees the host's names of its group, of which only its own part is mounted.
test.each([
  { name: "its own group", mounted: "/docker/abc", group: "/docker/abc" },
  { name: "a group above its own", mounted: "/docker", group: "/docker" },
  { name: "a group it has no name for", mounted: "/", group: "/../../other" },
])("only the mounted hierarchy is examined: $name", ({ mounted, group }) => {
  expect(
    limitOn({
      "/proc/self/cgroup": `4:memory:${group}\n`,
      "/proc/self/mountinfo": `36 31 0:32 ${mounted} /sys/fs/cgroup/memory rw - cgroup c rw,memory`,
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": `${MIB}`,
    }),
  ).toBe(MIB);
});

test.each([
  { name: "nothing is limited", files: { "/sys/fs/cgroup/a/memory.max": "max\n" } },
  { name: "no limit can be read", files: { "/sys/fs/cgroup/a/memory.max": "" } },
  {
    name: "version 1 says that there is none",
    files: { "/sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED_V1 },
  },
])("no limit is found where $name", ({ files }) => {
  const machine = {
    "/proc/self/cgroup": "0::/a\n4:memory:/\n",
    "/proc/self/mountinfo": `${V2}\n${V1}\n`,
  };

  expect(limitOn({ ...machine, ...files })).toBeUndefined();
});

test("without any of these files, no limit is found", () => {
  expect(limitOn({})).toBeUndefined();
});

test("this machine can be asked", () => {
  expect(() => cgroupMemoryLimit()).not.toThrow();
});
