import { PROBLEM_KINDS, type ProblemProtocol, type ProblemReason } from "./problem-reason.ts";

/** A port, or a Unix socket, written `unix:/PATH`. */
type ListenerPort = number | "off" | `unix:${string}`;

/** The ports in use, for hints. */
export type ListenerPorts = Readonly<Record<ProblemProtocol, ListenerPort>>;

/** Returns a sentence such as `3 requests were larger than a limit`. */
export function problemText(reason: ProblemReason, count: number): string {
  const { noun, fate } = PROBLEM_KINDS[reason];
  const counted = `${count.toLocaleString("en-US")} ${noun}`;
  return count === 1 ? `${counted} was ${fate}` : `${counted}s were ${fate}`;
}

/** Returns the hint for a reason, with the ports in use. */
export function hintFor(reason: ProblemReason, ports: ListenerPorts): string {
  return withPorts(PROBLEM_KINDS[reason].hint, ports);
}

/** Returns the hint for two ports that receive each other's traffic. */
export function swappedHint({ grpc, http }: ListenerPorts): string {
  return `${grpc} and ${http} are swapped: OTLP/gRPC goes to ${grpc}, OTLP/HTTP to ${http}`;
}

function withPorts(text: string, ports: ListenerPorts): string {
  return text.replaceAll(/\{(grpc|http|api)\}/g, (_, name: ProblemProtocol) =>
    portText(ports[name]),
  );
}

function portText(port: ListenerPort): string {
  if (typeof port === "number") return `port ${port}`;
  return port === "off" ? "no port, because it is off" : port;
}
