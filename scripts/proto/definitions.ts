import { readFileSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";

/** A parsed `.proto` file, with its path under `proto/`, which is also its name in reflection. */
export interface ProtoFile {
  readonly name: string;
  readonly package: string;
  readonly imports: readonly string[];
}

export interface Definitions {
  /** All types of all files, with resolved references. */
  readonly root: protobuf.Root;
  readonly files: readonly ProtoFile[];
}

/**
 * Parses the files without `Root.load`, which uses its own copies of `google/protobuf/*.proto`,
 * whereas `proto/` is our only source. Imports must be among `names`.
 */
export function readDefinitions(protoDirectory: string, names: readonly string[]): Definitions {
  const root = new protobuf.Root();
  const files = names.map((name) => parseFile(root, protoDirectory, name));
  root.resolveAll();
  return { root, files };
}

function parseFile(root: protobuf.Root, protoDirectory: string, name: string): ProtoFile {
  const source = readFileSync(join(protoDirectory, name), "utf8");
  // This global of the parser names the file of every parsed object; it is reset afterwards.
  (protobuf.parse as { filename?: string }).filename = name;
  const parsed = protobuf.parse(source, root);
  return { name, package: parsed.package ?? "", imports: parsed.imports ?? [] };
}
