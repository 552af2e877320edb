import { plugin } from "bun";
import { afterEach } from "bun:test";
import { TEST_TIMEOUT_MS } from "./running/fuzz-runs.ts";

// This file is loaded before all tests; see bunfig.toml.

// A test may time out only if it hangs, because a busy machine is not a fault. Bun takes a time
// limit for all tests only from its command line; a limit set at the top of a file applies to that
// file. So each file gets this line before its own first line.
const LIMIT = `import { setDefaultTimeout as limit } from "bun:test"; limit(${TEST_TIMEOUT_MS});`;

plugin({
  name: "time limit of every test",
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.test\.ts$/ }, async ({ path }) => {
      return { contents: `${LIMIT} ${await Bun.file(path).text()}`, loader: "ts" };
    });
  },
});

// The bytes of a ring count as heap, even those never touched. With a few rings, the next
// collection is gigabytes away, so garbage is collected here.
const MAX_GARBAGE_BYTES = 256 * 1024 * 1024;
let keptBytes = process.memoryUsage.rss();

afterEach(() => {
  const heldBytes = process.memoryUsage.rss();
  keptBytes = Math.min(keptBytes, heldBytes);
  if (heldBytes < keptBytes + MAX_GARBAGE_BYTES) return;
  Bun.gc(true);
  keptBytes = process.memoryUsage.rss();
});
