import { everySpan } from "../../../src/domain/wire/request-spans.ts";

/** Returns the SHA-256 of each span of these requests, sorted. */
export function spanDigests(requests: readonly Uint8Array[]): string[] {
  return requests.flatMap(digestsOf).toSorted();
}

function digestsOf(request: Uint8Array): string[] {
  const table = everySpan({ bytes: request, offset: 0, length: request.length });
  return Array.from({ length: table.spanCount }, (_, row) => {
    const start = table.spanOffset[row]!;
    const bytes = request.subarray(start, start + table.spanLength[row]!);
    return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  });
}

/** Counts the digests of spans that have not arrived, and of those that were not sent. */
export function difference(
  sent: readonly string[],
  arrived: readonly string[],
): { readonly missing: number; readonly foreign: number } {
  const [all, found] = [new Set(sent), new Set(arrived)];
  return { missing: all.difference(found).size, foreign: found.difference(all).size };
}
