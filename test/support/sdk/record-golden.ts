/**
 * Records the golden requests anew: `bun test/support/sdk/record-golden.ts`. To be run when a test
 * says that the SDK now sends something else.
 */
import { recordGoldenRequests } from "./golden-recorder.ts";
import { goldenPath } from "../requests/golden-requests.ts";

for (const [name, bytes] of await recordGoldenRequests()) {
  await Bun.write(goldenPath(name), bytes);
  await Bun.write(Bun.stdout, `${name}  ${bytes.length} bytes\n`);
}
