import { openTextStream } from "../../../src/adapters/cli/output/text-stream.ts";

/** A program that prints lines of this length until SIGTERM ends it. */
const [length, lineGraceMs] = process.argv.slice(2).map(Number);
const controller = new AbortController();
process.on("SIGTERM", () => controller.abort());
const lines = `${"x".repeat(length!)}\n`.repeat(Math.ceil((1 << 20) / length!));
const stream = openTextStream(1, lineGraceMs);
while (await stream.writeAside(lines, controller.signal));
process.exit(0);
