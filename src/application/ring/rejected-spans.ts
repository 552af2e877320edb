import { serviceNameBytes } from "../../domain/wire/service-name.ts";
import type { WalkedRequest } from "../../domain/wire/walked-request.ts";
import type { ServiceAmount } from "../../domain/buffered-spans.ts";

/**
 * The rejected spans of a request, for the books: an entry for each run of them in one resource.
 * The names are views of the request.
 */
export function rejectedByService(walked: WalkedRequest): ServiceAmount[] {
  const { request, rejectedSpans, rejectedResourceOffset, rejectedLength } = walked;
  const amounts: ServiceAmount[] = [];
  for (let row = 0; row < rejectedSpans;) {
    const first = row;
    const offset = rejectedResourceOffset[row]!;
    let bytes = 0;
    for (; row < rejectedSpans && rejectedResourceOffset[row] === offset; row += 1) {
      bytes += rejectedLength[row]!;
    }
    const service = serviceNameBytes(request, offset, walked.rejectedResourceLength[first]!);
    amounts.push({ service, spans: row - first, bytes });
  }
  return amounts;
}
