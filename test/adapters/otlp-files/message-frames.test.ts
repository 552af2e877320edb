import { expect, test } from "bun:test";
import { openSource } from "../../../src/adapters/otlp-files/byte-source.ts";
import { lengthDelimitedRequests } from "../../../src/adapters/otlp-files/proto-requests.ts";
import { chunksOf, lengthDelimited } from "../../support/requests/byte-chunks.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";

test("a request may be as long as the limit and no longer", async () => {
  const request = requestOf(2);
  const read = async (maxBytes: number) => {
    const source = openSource(chunksOf(lengthDelimited(request), 7));
    return await Array.fromAsync(lengthDelimitedRequests(source, maxBytes));
  };

  const [within, beyond] = [await read(request.length), await read(request.length - 1)];

  const most = request.length - 1;
  expect(within).toMatchObject([{ spanCount: 2 }]);
  expect(beyond).toMatchObject([
    { fault: `a request of ${request.length} bytes; at most ${most} can be`, first: 0 },
  ]);
});
