import { join } from "node:path";
import * as inProcess from "../../../src/testing.ts";
import * as ownProcess from "../../../src/testing/node.ts";

const ROOT = join(import.meta.dir, "../../..");

// `testing/node.ts` starts the executable of this checkout, on Bun too.
process.env["SPANRING_BINARY"] = join(ROOT, "dist", "spanring");

/** Both ways to run spanring for a test; they have one interface. */
export const RING_KINDS = [
  { kind: "in the test's process", startSpanring: inProcess.startSpanring },
  { kind: "in its own process", startSpanring: ownProcess.startSpanring },
];
