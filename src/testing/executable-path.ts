import { createRequire } from "node:module";

/** The platform as the packages of executables name it. */
export interface Platform {
  readonly platform: string;
  readonly arch: string;
  /** Present with glibc only, as `process.report` says. */
  readonly glibcVersion?: string | undefined;
}

/** Returns the package with the executable for a platform, such as `@spanring/linux-x64-musl`. */
export function executablePackage({ platform, arch, glibcVersion }: Platform): string {
  const isMusl = platform === "linux" && glibcVersion === undefined;
  return `@spanring/${platform}-${arch}${isMusl ? "-musl" : ""}`;
}

/**
 * Returns the path of the executable: that of `SPANRING_BINARY`, or of the package that is
 * installed for this platform as an optional dependency.
 */
export function executablePath(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: Platform = thisPlatform(),
): string {
  if (env["SPANRING_BINARY"] !== undefined) return env["SPANRING_BINARY"];
  const wanted = executablePackage(platform);
  const file = platform.platform === "win32" ? "spanring.exe" : "spanring";
  try {
    return createRequire(import.meta.url).resolve(`${wanted}/bin/${file}`);
  } catch {
    throw new Error(
      `the package ${wanted} is not installed: install spanring with its optional ` +
        "dependencies, or set SPANRING_BINARY to the path of the executable",
    );
  }
}

export function thisPlatform(): Platform {
  const { platform, arch } = process;
  const report = platform === "linux" ? process.report?.getReport() : undefined;
  const { header } = (report ?? {}) as { header?: { glibcVersionRuntime?: string } };
  return { platform, arch, glibcVersion: header?.glibcVersionRuntime };
}
