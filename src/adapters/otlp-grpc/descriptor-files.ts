import { fileDescriptors, fileImports, symbolFiles } from "./generated/descriptors.ts";

/** A file with everything it imports, itself first; undefined when there is no such file. */
export function filesFor(name: string): Uint8Array[] | undefined {
  if (!Object.hasOwn(fileDescriptors, name)) return undefined;
  return [...withImports(name)].map((file) => Buffer.from(fileDescriptors[file] ?? "", "base64"));
}

/** The file that says what `symbol` is: a message, an enum, a service or a method. */
export function fileOfSymbol(symbol: string): string | undefined {
  return Object.hasOwn(symbolFiles, symbol) ? symbolFiles[symbol] : undefined;
}

/** A set is walked in order of insertion, and what is added on the way is walked too. */
function withImports(name: string): Set<string> {
  const files = new Set([name]);
  for (const file of files) {
    for (const imported of fileImports[file] ?? []) files.add(imported);
  }
  return files;
}
