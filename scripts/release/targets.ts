import type { Architecture } from "./system-package.ts";

/** A platform that packages are built for, with the runtime that its executable contains. */
export interface Target {
  /** The end of the names of its packages. */
  readonly name: string;
  /** As in `package.json` of npm; absent for builds that npm does not distinguish. */
  readonly npm?: { readonly os: string; readonly cpu: string; readonly libc?: string };
  /** The target of the bundler. */
  readonly bun: string;
  /** The npm package with the runtime, and the SHA-512 of its archive in base64. */
  readonly runtime: string;
  readonly sha512: string;
  /** Its names in packages of distributions, which have only one for each kind of processor. */
  readonly system?: Architecture;
  /** The checksum of the runtime itself, if `bun install` may have brought it already. */
  readonly installed?: string;
}

const linux = (cpu: string, libc: string) => ({ os: "linux", cpu, libc });

/** Builds named `baseline` are for processors without AVX2. */
export const TARGETS: readonly Target[] = [
  {
    name: "linux-x64",
    npm: linux("x64", "glibc"),
    bun: "bun-linux-x64",
    runtime: "@oven/bun-linux-x64",
    sha512:
      "IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==",
    installed: "f05d28a3862f4b84395c7fa32480b835dd47482e80b7e7a49a115227f0c06083",
  },
  {
    name: "linux-x64-musl",
    npm: linux("x64", "musl"),
    bun: "bun-linux-x64-musl",
    runtime: "@oven/bun-linux-x64-musl",
    sha512:
      "10QoW/YfTgnURaGEaHpJCiXjLI2e5iTtfVDaA5JKcyUzaa1cq6cVUY9/Uq5XkYzvtRjHLRe9Oj/lTDIQcxy8HQ==",
  },
  {
    name: "linux-x64-baseline",
    system: { deb: "amd64", rpm: "x86_64" },
    bun: "bun-linux-x64-baseline",
    runtime: "@oven/bun-linux-x64-baseline",
    sha512:
      "s8yMwYcFnnrA178gji0gZbkE2WVDej/Ti1x770oPfihxyRxSMNhGhiAQNXV53aDeraZxksdvKV/RAdQBCd0qPA==",
  },
  {
    name: "linux-x64-musl-baseline",
    bun: "bun-linux-x64-musl-baseline",
    runtime: "@oven/bun-linux-x64-musl-baseline",
    sha512:
      "cWJhU8h0+MiUgpSt99sQhjxLIIosKEcKYdtKddohokUvAuN6jKOy7g7+QDTZTXtwHxz93wL3BX+L6wXVPDUH3A==",
  },
  {
    name: "linux-arm64",
    npm: linux("arm64", "glibc"),
    system: { deb: "arm64", rpm: "aarch64" },
    bun: "bun-linux-arm64",
    runtime: "@oven/bun-linux-aarch64",
    sha512:
      "4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==",
  },
  {
    name: "linux-arm64-musl",
    npm: linux("arm64", "musl"),
    bun: "bun-linux-arm64-musl",
    runtime: "@oven/bun-linux-aarch64-musl",
    sha512:
      "XCNc+WvvMAdNNb+OWTogpy+N9wm62fkVeEVLb6how0RZhW5LPi6c7BlkeVCuWps7XjEl2saFpHFa20/1E+PAHg==",
  },
  {
    name: "darwin-x64",
    npm: { os: "darwin", cpu: "x64" },
    bun: "bun-darwin-x64",
    runtime: "@oven/bun-darwin-x64",
    sha512:
      "qkLPMGHZM9NI6CeHTWwVezzmlo6cC4Ta7yUAjYIWXS366qQcOlcp75t2uZyiuVRBMPS0h9qE0tCcvCHGaFqjJg==",
  },
  {
    name: "darwin-arm64",
    npm: { os: "darwin", cpu: "arm64" },
    bun: "bun-darwin-arm64",
    runtime: "@oven/bun-darwin-aarch64",
    sha512:
      "4MIFXHmctH2EhAxLXm2/qxNtv17dFtLJylvaOCsrgq6KSqHTs6eW5YSrJjRbJxYUJaR901fsN8JfZOa+CsWpWQ==",
  },
  {
    name: "win32-x64",
    npm: { os: "win32", cpu: "x64" },
    bun: "bun-windows-x64",
    runtime: "@oven/bun-windows-x64",
    sha512:
      "FNvply651vcE/GHgNWz6mZvhmkwBuu8Hw54oNzA+CQog+HW+542rXQmZqNHRkFxazD9L3xi+iTtvO3engAgJfw==",
  },
  {
    name: "win32-x64-baseline",
    bun: "bun-windows-x64-baseline",
    runtime: "@oven/bun-windows-x64-baseline",
    sha512:
      "/U3Dc74uGqE6EUqef7mPtg9KwJs7iJH4JHRMfIZIn18MrJh6Xz4gVvWDXRvzCL2j8wPlTnJVyrO4n7Qq4uM7TQ==",
  },
];

export function isWindows({ name }: Pick<Target, "name">): boolean {
  return name.startsWith("win32");
}

/** Returns the name of the executable in the packages of a target. */
export function executableName(target: Target): string {
  return isWindows(target) ? "spanring.exe" : "spanring";
}
