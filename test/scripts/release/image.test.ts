import { beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { imageArchive } from "../../../scripts/release/image.ts";
import { libcFiles } from "../../../scripts/release/libc-files.ts";
import { isHardeningPossible } from "../../support/running/hardened-unit.ts";
import { startManager } from "../../support/running/notified-manager.ts";
import { runTool } from "../../support/running/packed-files.ts";
import { COMMAND } from "../../support/running/running-program.ts";
import { notRun } from "../../support/running/not-run.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

// Goal: tools find a valid image, and it runs with a read-only root file system, without
// privileges. Method: its layers are unpacked and run in a mount namespace, with the C library of
// this machine.

const SMALL = join(temporaryFolder(), "spanring");
writeFileSync(SMALL, "a program");

function smallImage(): Buffer {
  return imageArchive([
    { architecture: "amd64", libc: [], executable: SMALL },
    { architecture: "arm64", libc: [], executable: SMALL },
  ]);
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string };
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly manifests: readonly Descriptor[];
}

/** Unpacks an image and returns its folder. */
function unpackedImage(image: Uint8Array): string {
  const folder = temporaryFolder();
  const archive = join(folder, "image.tar");
  writeFileSync(archive, image);
  expect(runTool("tar", "-xf", archive, "-C", folder)).toMatchObject({ exitCode: 0, stderr: "" });
  return folder;
}

function pathOf(folder: string, { digest }: Descriptor): string {
  return join(folder, "blobs", digest.replace(":", "/"));
}

function readBlob<Content = Manifest>(folder: string, descriptor: Descriptor): Content {
  return JSON.parse(readFileSync(pathOf(folder, descriptor), "utf8")) as Content;
}

function readIndex(folder: string): Manifest {
  const outer = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as Manifest;
  return readBlob(folder, outer.manifests[0]!);
}

interface ImageConfig {
  readonly config: Readonly<Record<string, unknown>>;
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

test("two images of the same files are identical", () => {
  expect(smallImage().equals(smallImage())).toBe(true);
});

test("the size and the digest of every part are right, also of unpacked layers", () => {
  const folder = unpackedImage(smallImage());
  const outer = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as Manifest;
  const index = readIndex(folder);
  const manifests = index.manifests.map((each) => readBlob(folder, each));
  const parts = manifests.flatMap(({ config, layers }) => [config, ...layers]);
  const all = [...outer.manifests, ...index.manifests, ...parts];

  const found = all.map((each) => {
    const bytes = readFileSync(pathOf(folder, each));
    return { digest: digestOf(bytes), size: bytes.length };
  });
  const layers = manifests.flatMap((manifest) => manifest.layers);
  const unpacked = layers.map((each) =>
    digestOf(Bun.gunzipSync(readFileSync(pathOf(folder, each)))),
  );

  expect(found).toEqual(all.map(({ digest, size }) => ({ digest, size })));
  expect(unpacked).toEqual(
    manifests.flatMap(({ config }) => readBlob<ImageConfig>(folder, config).rootfs.diff_ids),
  );
});

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

test("the image is for two processors, and older versions of Docker find both", () => {
  const folder = unpackedImage(smallImage());
  const listed = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as {
    readonly Config: string;
    readonly RepoTags: readonly string[];
    readonly Layers: readonly string[];
  }[];

  const platforms = readIndex(folder).manifests.map(({ platform }) => platform!.architecture);
  const missing = listed
    .flatMap(({ Config, Layers }) => [Config, ...Layers])
    .filter((path) => !existsSync(join(folder, path)));

  expect(platforms).toEqual(["amd64", "arm64"]);
  expect(listed.map(({ RepoTags }) => RepoTags)).toEqual([
    ["spanring:0.1.0-amd64"],
    ["spanring:0.1.0-arm64"],
  ]);
  expect(missing).toEqual([]);
});

const LOADER = "/lib64/ld-linux-x86-64.so.2";
const isRunnable = isHardeningPossible() && COMMAND.length === 1 && existsSync(LOADER);
const IMAGES = isRunnable ? ["an unpacked image"] : [];

if (IMAGES.length === 0) {
  notRun(2, "an image needs root, unshare and glibc on x64");
}

const READ_ONLY = `mount --bind "$0" "$0" && mount -t proc proc "$0/proc" &&
  mount -o remount,bind,ro "$0" && PATH=$PATH:/usr/sbin exec "$@"`;

describe.each(IMAGES)("%s", () => {
  const [layout, root] = [temporaryFolder(), temporaryFolder()];
  let config: ImageConfig["config"];

  beforeAll(() => {
    chmodSync(root, 0o755);
    const libc = libcFiles("amd64", "/");
    const image = imageArchive([{ architecture: "amd64", libc, executable: COMMAND[0]! }]);
    writeFileSync(join(layout, "image.tar"), image);
    runTool("tar", "-xf", join(layout, "image.tar"), "-C", layout);
    const manifest = readBlob(layout, readIndex(layout).manifests[0]!);
    for (const layer of manifest.layers) runTool("tar", "-xzf", pathOf(layout, layer), "-C", root);
    ({ config } = readBlob<ImageConfig>(layout, manifest.config));
    mkdirSync(join(root, "proc"));
  });

  /** Returns the command that runs a command of the image as a container engine does. */
  function contained(command: readonly string[]): string[] {
    const mount = ["unshare", "--mount", "sh", "-c", READ_ONLY, root];
    const user = [`--userspec=${String(config["User"])}`, "--groups="];
    return [...mount, "setpriv", "--no-new-privs", "chroot", ...user, root, ...command];
  }

  test("starts as another user, answers its own health check, and stops", async () => {
    await using manager = await startManager(`@spanring-image-${crypto.randomUUID()}`);
    const env = { OTLP_GRPC_PORT: "0", OTLP_HTTP_PORT: "0", API_PORT: "0" };
    const command = contained(config["Entrypoint"] as string[]);
    const child = Bun.spawn(command, {
      env: { ...env, PATH: process.env["PATH"], NOTIFY_SOCKET: manager.address },
      stderr: "pipe",
    });
    const log = child.stderr.text();
    const ready = String(await Promise.race([manager.next(), log]));
    const [, port] = /on api (\d+)/.exec(ready) ?? [];
    const { Test: check } = config["Healthcheck"] as { readonly Test: readonly string[] };
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    const health = Bun.spawnSync(contained(check.slice(1)), {
      env: { API_PORT: port, PATH: process.env["PATH"] },
    });
    child.kill("SIGTERM");

    expect(health.stdout.toString()).toBe("ready\n");
    expect(status).toMatch(/^Uid:\t65532\t65532\t65532\t65532$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(await child.exited).toBe(0);
  });

  test("has no shell, and nothing that its user can change but its folder", () => {
    const writable = runTool("find", root, "-user", "65532", "-o", "-type", "f", "-perm", "/022");

    expect(existsSync(join(root, "bin/sh"))).toBe(false);
    expect(writable.stdout).toBe(`${join(root, "var/lib/spanring")}\n`);
  });
});
