import { isWorthIt, releaseBytes } from "../../application/ring/release-bytes.ts";
import type { InFlightBudget } from "../memory/in-flight-budget.ts";
import { isGone, type RoutedCall } from "./call-handlers.ts";
import { emptyPrefix, isPrefixWhole, PREFIX_BYTES, readPrefix } from "./message-prefix.ts";
import type { UnfinishedRequests } from "./unfinished-requests.ts";

interface LibraryCallParts {
  readonly budget: InFlightBudget;
  readonly unfinished: UnfinishedRequests;
}

/**
 * Watches a call that grpc-js handles: charges what arrives, frees it when the stream closes, and
 * limits the time for the first message. The decoder of grpc-js may read the pieces until then, so
 * the peer decides how long they live, and they are charged for as long.
 */
export function watchLibraryCall(call: RoutedCall, { budget, unfinished }: LibraryCallParts): void {
  const { open, expire } = call;
  const request = { startedMs: open.openedAtMs, receivedBytes: 0, expire };
  const prefix = emptyPrefix();
  const pieces: Uint8Array[] = [];
  unfinished.add(request);
  call.stream.on("data", (piece: Uint8Array) => {
    destroyIfGone(call);
    budget.hold(open, piece.length);
    request.receivedBytes += piece.length;
    readPrefix(prefix, piece);
    if (isWorthIt(piece)) pieces.push(piece);
    const wholeBytes = PREFIX_BYTES + prefix.lengthBytes;
    if (isPrefixWhole(prefix) && request.receivedBytes >= wholeBytes) unfinished.remove(request);
  });
  call.stream.on("end", () => destroyIfGone(call));
  call.stream.on("close", () => {
    unfinished.remove(request);
    for (const piece of pieces.splice(0)) releaseBytes(piece);
  });
}

/** Makes grpc-js, which listens after us, see that the stream is gone: it would throw. */
function destroyIfGone({ stream }: RoutedCall): void {
  if (isGone(stream)) stream.destroy();
}
