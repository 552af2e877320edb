import { writeSync } from "node:fs";
import { LineWriter, createLogger } from "../../../src/adapters/logging/pino-logger.ts";

// A program whose standard error has no reader. At the end it prints `alive`.

function untilPipeBreaks(): void {
  for (;;) {
    try {
      writeSync(2, "x");
    } catch {
      return;
    }
  }
}

untilPipeBreaks();
const writer = new LineWriter(2);
const logger = createLogger("INFO", writer);
for (let count = 0; count < 100; count += 1) logger.info("listening", { count });
await writer.flush();
process.stdout.write("alive");
