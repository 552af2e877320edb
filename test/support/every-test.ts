import { plugin } from "bun";
import { afterEach } from "bun:test";
import { TEST_TIMEOUT_MS } from "./running/fuzz-runs.ts";

// Loaded before all tests, as bunfig.toml says.

// Only a test that hangs may fail for its time: a busy machine is no fault. Bun takes a time limit
// for all tests from its command line, and from nowhere else; what sets one at the top of a file
// holds for that file. So each file is given that line, before its own first.
const LIMIT = `import { setDefaultTimeout as limit } from "bun:test"; limit(${TEST_TIMEOUT_MS});`;

plugin({
  name: "time limit of every test",
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.test\.ts$/ }, async ({ path }) => {
      return { contents: `${LIMIT} ${await Bun.file(path).text()}`, loader: "ts" };
    });
  },
});

// A ring counts in the heap with all its bytes, also those that nobody has touched: while there
// are a few of them, the next collection is gigabytes away. So what piles up is collected here.
const MAX_GARBAGE_BYTES = 256 * 1024 * 1024;
let keptBytes = process.memoryUsage.rss();

afterEach(() => {
  const heldBytes = process.memoryUsage.rss();
  keptBytes = Math.min(keptBytes, heldBytes);
  if (heldBytes < keptBytes + MAX_GARBAGE_BYTES) return;
  Bun.gc(true);
  keptBytes = process.memoryUsage.rss();
});
