import { type Environment, type ForwardConfig, readConfig } from "../../../src/config/config.ts";

/** Returns the configuration of forwarding for this environment. */
export function forwardConfig(env: Environment): ForwardConfig {
  const reading = readConfig(env);
  if (!reading.ok) throw new Error(JSON.stringify(reading.mistakes));
  if (reading.config.forward === "off") throw new Error("FORWARD_ENDPOINT is not set");
  return reading.config.forward;
}
