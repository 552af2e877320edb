import { attributeText } from "./otlp.ts";
import type { TreeSpan } from "./trace-tree.ts";

const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;

/**
 * Returns what a span calls, if that sends no spans of its own: `postgresql orders`, `kafka
 * payments`, `api.example.com:443`; empty if unknown. The keys are those of the semantic
 * conventions, current ones first.
 */
export function peerText({ span, service, children }: TreeSpan): string {
  const isCall = span.kind === CLIENT || span.kind === PRODUCER;
  if (!isCall || children.some((child) => isOfPeer(child, service))) return "";
  const first = (...keys: string[]): string =>
    keys.map((key) => attributeText(span.attributes, key)).find((text) => text !== "") ?? "";
  const system = first("db.system.name", "db.system", "messaging.system");
  const part = first("db.namespace", "db.name", "messaging.destination.name");
  const host = first("server.address", "net.peer.name", "network.peer.address");
  const port = first("server.port", "net.peer.port", "network.peer.port");
  return (
    first("service.peer.name", "peer.service") ||
    (system && [system, part].filter(Boolean).join(" ")) ||
    (host && [host, port].filter(Boolean).join(":"))
  );
}

/** A service may call itself, or have the same unset name as its peer. */
function isOfPeer({ span: { kind }, service }: TreeSpan, caller: string): boolean {
  return service !== caller || kind === SERVER || kind === CONSUMER;
}
