import { expect, test } from "bun:test";
import { cgroupMemoryLimit } from "../../../src/adapters/memory/cgroup-limit.ts";

const MIB = 1024 * 1024;
const V2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";
const V1 = "36 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory";
const V1_CPU = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu";
const UNLIMITED_V1 = "9223372036854771712";

/** Returns the limit on a machine that has only these files. */
function limitOn(files: Readonly<Record<string, string>>): number | undefined {
  return cgroupMemoryLimit((path) => files[path]);
}

test("version 2: the limit of the process's own group is found", () => {
  expect(
    limitOn({
      "/proc/self/cgroup": "0::/system.slice/spanring.service\n",
      "/proc/self/mountinfo": `${V1_CPU}\n${V2}\n`,
      "/sys/fs/cgroup/system.slice/spanring.service/memory.max": `${128 * MIB}\n`,
      "/sys/fs/cgroup/system.slice/memory.max": "max\n",
    }),
  ).toBe(128 * MIB);
});

test("version 2: a lower limit of a parent group applies", () => {
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

test("version 2: the limit of the root group applies in a container", () => {
  expect(
    limitOn({
      "/proc/self/cgroup": "0::/\n",
      "/proc/self/mountinfo": V2,
      "/sys/fs/cgroup/memory.max": `${64 * MIB}\n`,
    }),
  ).toBe(64 * MIB);
});

test("version 1: the lowest limit of the group and its parents applies", () => {
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

// A container sees its group's path on the host, of which only a part is mounted.
test.each([
  { name: "the group itself", mounted: "/docker/abc", group: "/docker/abc" },
  { name: "a parent group", mounted: "/docker", group: "/docker" },
  { name: "a group outside", mounted: "/", group: "/../../other" },
])("only the mounted part of the hierarchy is examined: $name", ({ mounted, group }) => {
  expect(
    limitOn({
      "/proc/self/cgroup": `4:memory:${group}\n`,
      "/proc/self/mountinfo": `36 31 0:32 ${mounted} /sys/fs/cgroup/memory rw - cgroup c rw,memory`,
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": `${MIB}`,
    }),
  ).toBe(MIB);
});

test.each([
  { name: "the limit is max", files: { "/sys/fs/cgroup/a/memory.max": "max\n" } },
  { name: "the file is empty", files: { "/sys/fs/cgroup/a/memory.max": "" } },
  {
    name: "version 1 reports no limit",
    files: { "/sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED_V1 },
  },
])("no limit is found if $name", ({ files }) => {
  const machine = {
    "/proc/self/cgroup": "0::/a\n4:memory:/\n",
    "/proc/self/mountinfo": `${V2}\n${V1}\n`,
  };

  expect(limitOn({ ...machine, ...files })).toBeUndefined();
});

test("no limit is found without these files", () => {
  expect(limitOn({})).toBeUndefined();
});

test("the limit of this machine is read without an error", () => {
  expect(() => cgroupMemoryLimit()).not.toThrow();
});
