import type { Logger } from "../../ports/logger.ts";

function ignore(): void {}

/** Discards every line: for parts whose log has no reader. */
export const SILENT_LOGGER: Logger = {
  debug: ignore,
  info: ignore,
  warning: ignore,
  error: ignore,
};
