import { hostname, networkInterfaces } from "node:os";
import { isLoopback, plainHost } from "../domain/text/host-address.ts";

interface Address {
  readonly host: string;
  readonly port: number | "off";
}

/** What listens, and where. */
export interface Listener extends Address {
  readonly portVariable: "OTLP_GRPC_PORT" | "OTLP_HTTP_PORT" | "API_PORT";
}

/** What this machine is known by, besides the loopback. */
export function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  return [hostname(), ...all.map(({ address }) => address)];
}

/** Whether who connects to `target` meets `listener`; names of others are not looked up. */
export function isListenerAt(
  listener: Address,
  target: Address,
  own: () => readonly string[],
): boolean {
  if (listener.port !== target.port) return false;
  const [listening, wanted] = [listener.host, target.host].map(plainHost) as [string, string];
  if (isLoopback(wanted)) return isLoopback(listening);
  if (!WILDCARDS.has(listening)) return listening === wanted;
  return own().map(plainHost).includes(wanted);
}

const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);
