import { fullGC } from "bun:jsc";
import { once } from "node:events";
import { FairTurns } from "../../../src/adapters/listening/fair-turns.ts";
import { InFlightBudget } from "../../../src/adapters/memory/in-flight-budget.ts";
import { startGrpcListener } from "../../../src/adapters/otlp-grpc/grpc-listener.ts";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { zeroAmounts } from "../../../src/domain/receipt.ts";
import { recordingProblems } from "../fakes/problem-totals.ts";
import { RecordingLogger } from "../fakes/recording-logger.ts";
import { GRPC_TEST_LIMITS } from "../running/running-grpc-listener.ts";

/**
 * A listener in its own process, whose memory can be compared with the bytes that it charges. It
 * prints its port, and one measurement for each line of its standard input.
 */
const listener = await startGrpcListener({
  address: { host: "127.0.0.1", port: 0 },
  receiver: { receive: () => ({ outcome: "accepted", amounts: zeroAmounts() }) },
  limits: GRPC_TEST_LIMITS,
  budget: new InFlightBudget({ capacityBytes: 2 ** 30, clock: SYSTEM_CLOCK }),
  turns: new FairTurns(SYSTEM_CLOCK),
  maxMessageBytes: 4 * 1024 * 1024,
  logger: new RecordingLogger(),
  problems: recordingProblems(new RecordingLogger()),
  // No request is too slow.
  clock: { ...SYSTEM_CLOCK, repeat: () => () => {} },
});
process.stdout.write(`${listener.port}\n`);

process.stdin.on("data", () => {
  // The second collection frees what the first one has finalized.
  for (let collection = 0; collection < 2; collection += 1) fullGC();
  const { heldBytes } = listener.counts();
  process.stdout.write(
    `${JSON.stringify({ heldBytes, residentBytes: process.memoryUsage.rss() })}\n`,
  );
});
await once(process.stdin, "end");
await listener.stop(0);
