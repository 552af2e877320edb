/** Of files of requests: a line of OTLP/JSON each, or protobuf behind its length. */
export type FileFormat = "json" | "proto";

const FORMAT_OF_ENDING: ReadonlyMap<string, FileFormat> = new Map([
  ["json", "json"],
  ["jsonl", "json"],
  ["ndjson", "json"],
  ["binpb", "proto"],
  ["pb", "proto"],
  ["proto", "proto"],
]);

/** Those that say a format, each with its dot. */
export const FILE_ENDINGS: readonly string[] = [...FORMAT_OF_ENDING.keys()].map(
  (ending) => `.${ending}`,
);

/** Undefined when the ending of the path says none. */
export function formatOfPath(path: string): FileFormat | undefined {
  return FORMAT_OF_ENDING.get(/\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "");
}
