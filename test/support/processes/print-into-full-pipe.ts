import { openTextStream } from "../../../src/adapters/cli/output/text-stream.ts";

/** A program that prints more than a pipe holds, after the pipe has been made non-blocking. */
process.stdout.write("");
openTextStream(1).write("x".repeat(1024 * 1024));
