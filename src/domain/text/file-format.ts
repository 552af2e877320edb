/** The format of a file of requests: one line of OTLP/JSON each, or protobuf after its length. */
export type FileFormat = "json" | "proto";

const FORMAT_OF_ENDING: ReadonlyMap<string, FileFormat> = new Map([
  ["json", "json"],
  ["jsonl", "json"],
  ["ndjson", "json"],
  ["binpb", "proto"],
  ["pb", "proto"],
  ["proto", "proto"],
]);

/** The known endings, each with its dot. */
export const FILE_ENDINGS: readonly string[] = [...FORMAT_OF_ENDING.keys()].map(
  (ending) => `.${ending}`,
);

/** Returns the format that the ending of a path names; undefined for other endings. */
export function formatOfPath(path: string): FileFormat | undefined {
  return FORMAT_OF_ENDING.get(/\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "");
}
