import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { openSync } from "node:fs";
import { openSpanSink } from "../../../src/adapters/forward/open-sink.ts";
import { forwardConfig } from "../fakes/forward-config.ts";
import { RecordingLogger } from "../fakes/recording-logger.ts";
import { batchOf, never } from "../requests/span-batch.ts";

/**
 * A process that opens a sink according to its environment, then as many files as it may, and
 * sends. It prints the outcome.
 */
const opening = await openSpanSink({
  forward: forwardConfig(process.env),
  version: "1.2.3",
  nowMs: Date.now,
  clock: SYSTEM_CLOCK,
  logger: new RecordingLogger(),
});
if (!opening.ok) throw new Error("the sink does not open");
process.stdout.write(`${openEveryFile()}\n`);
const { outcome } = await opening.sink.send(batchOf(1), never);
process.stdout.write(`${outcome}\n`);
process.exit(0);

/** Opens files until an error occurs; returns the code of the error. */
function openEveryFile(): string {
  try {
    for (;;) openSync("/dev/null", "r");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "";
  }
}
