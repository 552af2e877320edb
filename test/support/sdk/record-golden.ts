/**
 * Records the golden requests again: `bun test/support/sdk/record-golden.ts`. Run it after a test
 * has reported that the SDK now sends something else.
 */
import { recordGoldenRequests } from "./golden-recorder.ts";
import { goldenPath } from "../requests/golden-requests.ts";

for (const [name, bytes] of await recordGoldenRequests()) {
  await Bun.write(goldenPath(name), bytes);
  await Bun.write(Bun.stdout, `${name}  ${bytes.length} bytes\n`);
}
