import { writeSync } from "node:fs";
import { createLogger, standardErrorStream } from "../../src/adapters/logging/pino-logger.ts";

// A program whose reader of standard error has gone. At the end it says `alive`.

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
const logger = createLogger("INFO", standardErrorStream());
for (let count = 0; count < 100; count += 1) logger.info("listening", { count });
process.stdout.write("alive");
