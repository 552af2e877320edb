import { readFileSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";

/** One parsed `.proto` file, by its path under `proto/`, which is also its name for reflection. */
export interface ProtoFile {
  readonly name: string;
  readonly package: string;
  readonly imports: readonly string[];
}

export interface Definitions {
  /** Every type of every file, with its references resolved. */
  readonly root: protobuf.Root;
  readonly files: readonly ProtoFile[];
}

/**
 * Parses the files ourselves instead of `Root.load`: that one takes its own copy of
 * `google/protobuf/*.proto`, and here `proto/` is the only truth. Imports must be among `names`.
 */
export function readDefinitions(protoDirectory: string, names: readonly string[]): Definitions {
  const root = new protobuf.Root();
  const files = names.map((name) => parseFile(root, protoDirectory, name));
  root.resolveAll();
  return { root, files };
}

function parseFile(root: protobuf.Root, protoDirectory: string, name: string): ProtoFile {
  const source = readFileSync(join(protoDirectory, name), "utf8");
  // The parser's own global: it marks every object with the file it comes from, and is reset after.
  (protobuf.parse as { filename?: string }).filename = name;
  const parsed = protobuf.parse(source, root);
  return { name, package: parsed.package ?? "", imports: parsed.imports ?? [] };
}
