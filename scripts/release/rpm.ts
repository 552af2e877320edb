import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import { gzipSync } from "node:zlib";
import program from "../../package.json" with { type: "json" };
import { type ArchiveEntry, typedMode } from "./archive-entry.ts";
import { cpioOf } from "./cpio.ts";
import { type RpmTags, rpmHeader } from "./rpm-header.ts";
import { maintainerScripts, SYSTEM_DESCRIPTION, type SystemPackage } from "./system-package.ts";
import { archiveSeconds } from "./time.ts";

const RELEASE = "1";
const NAME_VERSION = `${program.name}-${program.version}-${RELEASE}`;

const SIGNATURE_REGION = 62;
const HEADER_REGION = 63;

/** Returns an RPM package: lead, signature, header, and a compressed cpio archive. */
export function rpmOf({ architecture, entries }: SystemPackage): Buffer {
  const sorted = entries.toSorted((one, other) => (one.path < other.path ? -1 : 1));
  const archive = cpioOf(sorted);
  const payload = gzipSync(archive);
  const header = rpmHeader(HEADER_REGION, {
    ...packageTags(architecture.rpm, sorted),
    ...scriptTags(),
    ...fileTags(sorted),
    ...payloadTags(payload),
  });
  const signature = rpmHeader(SIGNATURE_REGION, {
    269: { text: digest("sha1", header) },
    273: { text: digest("sha256", header) },
    1000: { int32: [header.length + payload.length] },
    1004: { bytes: createHash("md5").update(header).update(payload).digest() },
    1007: { int32: [archive.length] },
  });
  const padding = Buffer.alloc(-signature.length & 7);
  return Buffer.concat([leadOf(), signature, padding, header, payload]);
}

/** Returns the first 96 bytes, of which only the magic number still counts. */
function leadOf(): Buffer {
  const lead = Buffer.alloc(96);
  lead.set([0xed, 0xab, 0xee, 0xdb, 3, 0]);
  lead.write(NAME_VERSION, 10);
  lead.writeUInt16BE(1, 76);
  lead.writeUInt16BE(5, 78);
  return lead;
}

function digest(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

function packageTags(architecture: string, entries: readonly ArchiveEntry[]): RpmTags {
  const size = entries.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
  const { summary, details, glibc } = SYSTEM_DESCRIPTION;
  const provided = [program.name, `${program.name}(${architecture.replace("_", "-")})`];
  return {
    100: { texts: ["C"] },
    1000: { text: program.name },
    1001: { text: program.version },
    1002: { text: RELEASE },
    1004: { translated: summary },
    1005: { translated: details.join("\n") },
    1006: { int32: [archiveSeconds()] },
    1007: { text: "localhost" },
    1009: { int32: [size] },
    1014: { text: program.license },
    1016: { translated: "Unspecified" },
    1021: { text: "linux" },
    1022: { text: architecture },
    1044: { text: `${NAME_VERSION}.src.rpm` },
    1047: { texts: provided },
    1112: { int32: provided.map(() => EQUAL) },
    1113: { texts: provided.map(() => `${program.version}-${RELEASE}`) },
    ...requirementTags(`libc.so.6(GLIBC_${glibc})(64bit)`),
  };
}

/** Source: rpmds.h. */
const LESS = 0x02;
const EQUAL = 0x08;
const RPMLIB = 0x1000000;
const FOR_SCRIPTS = 0x100 | 0x200 | 0x400 | 0x800 | 0x1000;

/** Lists what the package needs, and the features of RPM that its own format uses. */
function requirementTags(libc: string): RpmTags {
  const needs = [
    { name: "/bin/sh", version: "", flags: FOR_SCRIPTS },
    { name: libc, version: "", flags: 0 },
    feature("CompressedFileNames", "3.0.4-1"),
    feature("FileDigests", "4.6.0-1"),
    feature("PayloadFilesHavePrefix", "4.0-1"),
    { name: "systemd", version: "", flags: 0 },
  ];
  return {
    1048: { int32: needs.map(({ flags }) => flags) },
    1049: { texts: needs.map(({ name }) => name) },
    1050: { texts: needs.map(({ version }) => version) },
  };
}

function feature(name: string, version: string) {
  return { name: `rpmlib(${name})`, version, flags: LESS | EQUAL | RPMLIB };
}

function scriptTags(): RpmTags {
  const { afterInstall, beforeRemove, afterRemove } = maintainerScripts();
  return {
    1024: { text: afterInstall },
    1025: { text: beforeRemove },
    1026: { text: afterRemove },
    1086: { text: "/bin/sh" },
    1087: { text: "/bin/sh" },
    1088: { text: "/bin/sh" },
  };
}

/** Source: rpmfiles.h. A changed file of this kind stays when a package is upgraded. */
const CONFIGURATION = 0x01 | 0x10;
const VERIFY_ALL = -1;
const SHA256 = 8;

function fileTags(entries: readonly ArchiveEntry[]): RpmTags {
  const folders = [...new Set(entries.map(({ path }) => `${dirname(`/${path}`)}/`))];
  const numbers = (numberOf: (entry: ArchiveEntry, index: number) => number) => {
    return { int32: entries.map(numberOf) };
  };
  const texts = (textOf: (entry: ArchiveEntry) => string) => ({ texts: entries.map(textOf) });
  return {
    1028: numbers(({ bytes }) => bytes?.length ?? 0),
    1030: { int16: entries.map(typedMode) },
    1033: { int16: entries.map(() => 0) },
    1034: numbers(() => archiveSeconds()),
    1035: texts(({ bytes }) => (bytes === undefined ? "" : digest("sha256", bytes))),
    1036: texts(({ link = "" }) => link),
    1037: numbers(({ isConfiguration }) => (isConfiguration === true ? CONFIGURATION : 0)),
    1039: texts(() => "root"),
    1040: texts(() => "root"),
    1045: numbers(() => VERIFY_ALL),
    1095: numbers(() => 1),
    1096: numbers((_, index) => index + 1),
    1097: texts(() => ""),
    1116: numbers(({ path }) => folders.indexOf(`${dirname(`/${path}`)}/`)),
    1117: texts(({ path }) => basename(path)),
    1118: { texts: folders },
    5011: { int32: [SHA256] },
  };
}

function payloadTags(payload: Uint8Array): RpmTags {
  return {
    1124: { text: "cpio" },
    1125: { text: "gzip" },
    1126: { text: "6" },
    5062: { text: "utf-8" },
    5092: { texts: [digest("sha256", payload)] },
    5093: { int32: [SHA256] },
  };
}
