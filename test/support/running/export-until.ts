import { requestOf } from "../requests/request-bytes.ts";
import { openExportClient } from "./export-client.ts";

/** Exports ten requests a second until `isOver`; resolves to the requests. */
export async function exportUntil(
  grpcPort: number,
  state: { readonly isOver: boolean },
): Promise<Uint8Array[]> {
  using client = openExportClient(grpcPort);
  const requests: Uint8Array[] = [];
  while (!state.isOver) {
    const next = requestOf(500, 1 + requests.length * 500);
    await client.export(next);
    requests.push(next);
    await Bun.sleep(100);
  }
  return requests;
}
