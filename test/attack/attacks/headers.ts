import type { Attack, Field } from "../attack-case.ts";
import { openCalls } from "../wire/grpc-calls.ts";
import { http1Request, poured } from "../wire/http1-talk.ts";
import { besiege, type Siege } from "../wire/siege.ts";

const KIB = 1024;

/** Returns many header fields of moderate size. */
function manyFields(count: number, bytes: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`x-field-${at}`, "v".repeat(bytes)]),
  );
}

function openWithHeaders(field: Field, connections: number): Promise<void> {
  return openCalls(field, { connections, streams: 100, headers: manyFields(48, KIB) });
}

async function sendHttpHeads(field: Field, listener: "http" | "api"): Promise<void> {
  const head = Buffer.from("GET /v1/traces HTTP/1.1\r\nHost: localhost\r\n");
  const line = Buffer.from(`x-field: ${"v".repeat(4 * KIB)}\r\n`);
  const talk = () => poured(head, line, field.tally);
  const siege: Siege = { listener, connections: field.size(64, 16), talk };
  await besiege(field, siege);
}

export const HEADERS: readonly Attack[] = [
  ...[16, 190].map((connections): Attack => ({
    name: `grpc-headers-${connections}`,
    does: `48 kB of header fields on each of 100 streams of ${connections} connections`,
    expected: "holds",
    run: (field) => openWithHeaders(field, field.size(connections, 16)),
  })),
  {
    name: "http-endless-heads",
    does: "64 connections send header lines to OTLP/HTTP without end",
    expected: "holds",
    run: (field) => sendHttpHeads(field, "http"),
  },
  {
    name: "api-endless-heads",
    does: "64 connections send header lines to the read API without end",
    expected: "holds",
    run: (field) => sendHttpHeads(field, "api"),
  },
  {
    name: "http-large-heads",
    does: "64 connections send requests with 12 kB of header fields, in turn",
    expected: "holds",
    run: async (field) => {
      const request = http1Request({ headers: manyFields(12, KIB), body: new Uint8Array() });
      const talk = () => poured(new Uint8Array(), request, field.tally);
      await besiege(field, { listener: "http", connections: field.size(64, 16), talk });
    },
  },
];
