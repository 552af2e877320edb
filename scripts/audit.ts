/**
 * Checks every version in `bun.lock`, and the Bun that runs this, against the lowest version
 * without known vulnerabilities: `bun run audit`. It works offline; `bun audit` queries the
 * registry and finds more.
 */
import { resolve } from "node:path";

/** The minimum version of a package, for one major version or for all. */
interface Floor {
  readonly name: string;
  readonly major?: number;
  readonly version: string;
  readonly hole: string;
}

export const FLOORS: readonly Floor[] = [
  { name: "bun", version: "1.4.4", hole: "out-of-bounds write in brotli" },
  { name: "@grpc/grpc-js", version: "1.14.5", hole: "two remote crashes, leaked error details" },
  { name: "protobufjs", version: "8.6.2", hole: "recursion, amplified unknown fields" },
  // A dependency of gRPC's loader.
  { name: "protobufjs", major: 7, version: "7.5.6", hole: "recursion, amplified unknown fields" },
];

interface Locked {
  readonly name: string;
  readonly version: string;
}

/**
 * Returns a sentence for each version below its minimum, and for each minimum without a package.
 */
export function findings(lockText: string, bunVersion: string): string[] {
  const packages = [...lockedPackages(lockText), { name: "bun", version: bunVersion }];
  const low = packages.flatMap((found) => findingFor(found));
  const idle = FLOORS.filter((floor) => !packages.some((found) => floorOf(found) === floor));
  return [
    ...new Set(low),
    ...idle.map((floor) => `${floor.name} ${floor.version}: not in bun.lock`),
  ];
}

function findingFor(found: Locked): string[] {
  const floor = floorOf(found);
  if (floor === undefined || Bun.semver.order(found.version, floor.version) >= 0) return [];
  return [`${found.name} ${found.version}: at least ${floor.version} is needed (${floor.hole})`];
}

function floorOf({ name, version }: Locked): Floor | undefined {
  const major = Number.parseInt(version, 10);
  const floors = FLOORS.filter((floor) => floor.name === name);
  return (
    floors.find((floor) => floor.major === major) ??
    floors.find((floor) => floor.major === undefined)
  );
}

/**
 * Returns the locked packages. Each value of `packages` starts with `name@version`; its key only
 * says which package requires it.
 */
function lockedPackages(lockText: string): Locked[] {
  const lock = Bun.JSONC.parse(lockText) as { packages: Record<string, [string, ...unknown[]]> };
  return Object.values(lock.packages).map(([identity]) => {
    const at = identity.lastIndexOf("@");
    return { name: identity.slice(0, at), version: identity.slice(at + 1) };
  });
}

async function auditFromCommandLine(): Promise<number> {
  const lockText = await Bun.file(resolve(import.meta.dir, "../bun.lock")).text();
  const found = findings(lockText, Bun.version);
  const verdict = found.length === 0 ? ["no version is below its floor"] : found;
  await Bun.write(Bun.stdout, `${verdict.join("\n")}\n`);
  return found.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await auditFromCommandLine();
