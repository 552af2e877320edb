import { FileSink } from "../../../src/adapters/forward/file-sink.ts";
import { formatOfPath } from "../../../src/domain/text/file-format.ts";
import { batchOf, never } from "../requests/span-batch.ts";
import { FILE_PARTS } from "../upstreams/sink-upstreams.ts";

// Runs with a limit on the size of files: sends batches of 30 spans until one is not delivered,
// then small ones. Prints the number of each, and the messages for undelivered batches.

const path = process.argv[2] ?? "";
const sink = new FileSink({ ...FILE_PARTS, path, format: formatOfPath(path) ?? "json" });

async function deliver(spanCount: number): Promise<{ delivered: number; message: string }> {
  for (let delivered = 0; ; delivered += 1) {
    const outcome = await sink.send(batchOf(spanCount), never);
    if (outcome.outcome !== "delivered") return { delivered, message: outcome.message ?? "" };
  }
}

const large = await deliver(30);
const small = await deliver(1);
await sink.close();
process.stdout.write(JSON.stringify({ large, small }));
