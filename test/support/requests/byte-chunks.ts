/** Yields bytes in chunks of one size. */
export async function* chunksOf(bytes: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield bytes.subarray(at, at + sizeBytes);
}

export function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Returns requests as the file exporter of the collector writes them with `format: proto`. */
export function lengthDelimited(...requests: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    requests.flatMap((request) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(request.length);
      return [length, request];
    }),
  );
}
