import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import program from "../../package.json" with { type: "json" };
import {
  type ArchiveEntry,
  copiedFile,
  directory,
  textFile,
  withDirectories,
} from "./archive-entry.ts";
import { LIBC_VERSION } from "./libc-files.ts";
import { type Architecture, SYSTEM_DESCRIPTION } from "./system-package.ts";
import { tarOf } from "./tar.ts";
import { archiveSeconds } from "./time.ts";

const ROOT = resolve(import.meta.dir, "../..");

/** A user that no system has, as in other images without a shell. */
const USER = 65_532;

/** The content of an image for one kind of processor. */
export interface ImagePart {
  readonly architecture: Architecture["deb"];
  readonly libc: readonly ArchiveEntry[];
  readonly executable: string;
}

/**
 * Returns an image for several processors as a tar archive: an OCI image layout, with the list of
 * images that older versions of `docker load` read. Source: OCI Image Format 1.1.
 */
export function imageArchive(parts: readonly ImagePart[]): Buffer {
  const images = parts.map(imageOf);
  const index = blobOf({
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: images.map(({ manifest, architecture }) => {
      return { ...described(MANIFEST, manifest), platform: { architecture, os: "linux" } };
    }),
  });
  const blobs = [index, ...images.flatMap(({ blobs: all }) => all)];
  return tarOf(
    withDirectories([
      ...new Map(blobs.map((blob) => [blob.digest, blobFile(blob)])).values(),
      jsonFile("index.json", {
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: [{ ...described(INDEX, index), annotations: NAMES }],
      }),
      jsonFile("manifest.json", images.map(dockerImage)),
      jsonFile("oci-layout", { imageLayoutVersion: "1.0.0" }),
    ]),
    "",
  );
}

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";

/** The names under which tools store the image. */
const NAMES = {
  "io.containerd.image.name": `docker.io/library/${program.name}:${program.version}`,
  "org.opencontainers.image.ref.name": program.version,
};

interface Blob {
  readonly digest: string;
  readonly bytes: Uint8Array;
}

interface Image {
  readonly architecture: string;
  readonly manifest: Blob;
  readonly config: Blob;
  readonly layers: readonly Blob[];
  readonly blobs: readonly Blob[];
}

function imageOf({ architecture, libc, executable }: ImagePart): Image {
  const tars = [baseFiles(libc), programFiles(executable)].map((entries) => {
    return tarOf(withDirectories(entries));
  });
  const layers = tars.map((tar) => blobOf(gzipSync(tar)));
  const config = blobOf(configOf(architecture, tars.map(digestOf)));
  const manifest = blobOf({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: described(CONFIG, config),
    layers: layers.map((layer) => described(LAYER, layer)),
  });
  return { architecture, manifest, config, layers, blobs: [manifest, config, ...layers] };
}

/** Holds what the program needs of a system: the C library, a user, and the lookup of names. */
function baseFiles(libc: readonly ArchiveEntry[]): ArchiveEntry[] {
  return [
    ...libc,
    textFile("etc/group", `spanring:x:${USER}:\n`),
    textFile("etc/nsswitch.conf", "hosts: files dns\n"),
    textFile("etc/passwd", `spanring:x:${USER}:${USER}:spanring:/:/nonexistent\n`),
    directory("tmp", 0o1777),
    directory("var/lib/spanring", 0o700, USER),
  ];
}

function programFiles(executable: string): ArchiveEntry[] {
  return [
    copiedFile("usr/bin/spanring", executable, 0o755),
    copiedFile("usr/share/doc/spanring/copyright", join(ROOT, "LICENSE")),
  ];
}

const NANOS_PER_SECOND = 1e9;

function configOf(architecture: string, layers: readonly string[]): object {
  const created = new Date(archiveSeconds() * 1_000).toISOString();
  return {
    architecture,
    os: "linux",
    created,
    config: {
      User: `${USER}:${USER}`,
      ExposedPorts: { "4317/tcp": {}, "4318/tcp": {}, "4319/tcp": {} },
      Env: ["PATH=/usr/bin"],
      Entrypoint: ["/usr/bin/spanring"],
      WorkingDir: "/",
      StopSignal: "SIGTERM",
      Labels: {
        "org.opencontainers.image.created": created,
        "org.opencontainers.image.description": SYSTEM_DESCRIPTION.summary,
        "org.opencontainers.image.licenses": `${program.license} AND LGPL-2.1-or-later`,
        "org.opencontainers.image.title": program.name,
        "org.opencontainers.image.version": program.version,
        // The licence of the C library asks for the way to its source.
        "spanring.libc": `Debian glibc ${LIBC_VERSION}`,
      },
      Healthcheck: {
        Test: ["CMD", "/usr/bin/spanring", "healthcheck"],
        Interval: 10 * NANOS_PER_SECOND,
        Timeout: 5 * NANOS_PER_SECOND,
        StartPeriod: 5 * NANOS_PER_SECOND,
        Retries: 3,
      },
    },
    rootfs: { type: "layers", diff_ids: layers },
    history: ["the C library", program.name].map((comment) => ({ created, comment })),
  };
}

/** Returns the entry of an image in the list for older versions of `docker load`. */
function dockerImage({ architecture, config, layers }: Image): object {
  return {
    Config: blobPath(config),
    RepoTags: [`${program.name}:${program.version}-${architecture}`],
    Layers: layers.map(blobPath),
  };
}

function blobOf(content: Uint8Array | object): Blob {
  const bytes = content instanceof Uint8Array ? content : Buffer.from(JSON.stringify(content));
  return { digest: digestOf(bytes), bytes };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function described(mediaType: string, { digest, bytes }: Blob) {
  return { mediaType, digest, size: bytes.length };
}

function blobPath({ digest }: Blob): string {
  return `blobs/${digest.replace(":", "/")}`;
}

function blobFile(blob: Blob): ArchiveEntry {
  return { path: blobPath(blob), mode: 0o644, bytes: blob.bytes };
}

function jsonFile(path: string, content: object): ArchiveEntry {
  return textFile(path, JSON.stringify(content));
}
