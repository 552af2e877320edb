import { openTextStream } from "../../../src/adapters/cli/output/text-stream.ts";

/** A program that prints more than a pipe holds, for a reader that has gone. */
openTextStream(1).write("x".repeat(1024 * 1024));
