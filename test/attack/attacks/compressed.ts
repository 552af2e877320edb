import { FLAG } from "../../support/grpc/grpc-wire.ts";
import type { Attack, Field } from "../attack-case.ts";
import { pourCalls } from "../wire/grpc-calls.ts";
import { eachAnswered, http1Request } from "../wire/http1-talk.ts";
import * as payloads from "../wire/payloads.ts";
import { besiege } from "../wire/siege.ts";

const MIB = 1024 * 1024;

interface Bodies {
  readonly type: "json" | "x-protobuf";
  readonly encoding: "gzip" | "deflate" | "zstd";
  readonly body: Uint8Array;
  readonly connections: number;
}

/** Sends a body on each connection, again after every response. */
function sendBodies(field: Field, bodies: Bodies): Promise<void> {
  const headers = {
    "Content-Type": `application/${bodies.type}`,
    "Content-Encoding": bodies.encoding,
  };
  const request = http1Request({ headers, body: bodies.body });
  const talk = () => eachAnswered(request, field.tally);
  return besiege(field, { listener: "http", connections: bodies.connections, talk });
}

export function sendEmptySpans(field: Field): Promise<void> {
  const body = payloads.gzipped(payloads.jsonOfEmptySpans(field.size(6_000_000, 600_000)));
  const connections = field.size(16, 4);
  return sendBodies(field, { type: "json", encoding: "gzip", body, connections });
}

/** Sends 50 concurrent calls, each with a compressed message of 4 MiB of zeros. */
function sendGrpcBombs(field: Field, encoding: "gzip" | "deflate"): Promise<void> {
  const zeros = Buffer.alloc(4 * MIB);
  const message = encoding === "gzip" ? payloads.gzipped(zeros) : payloads.deflated(zeros);
  return pourCalls(field, {
    connections: field.size(5, 2),
    openCalls: 10,
    message,
    flag: FLAG.endStream,
    headers: { "grpc-encoding": encoding },
  });
}

export const COMPRESSED: readonly Attack[] = [
  {
    name: "json-empty-spans",
    does: "16 connections send gzip JSON with 6 million spans `{}`, 18 kB each",
    expected: "holds",
    run: sendEmptySpans,
  },
  {
    name: "json-empty-attributes",
    does: "16 connections send gzip JSON with 6 million attributes `{}` in one span",
    expected: "holds",
    run: async (field) => {
      const json = payloads.jsonOfEmptyAttributes(field.size(6_000_000, 600_000));
      const body = payloads.gzipped(json);
      const connections = field.size(16, 4);
      await sendBodies(field, { type: "json", encoding: "gzip", body, connections });
    },
  },
  {
    name: "protobuf-empty-fields",
    does: "16 connections send gzip protobuf of 10 million empty fields, 20 kB each",
    expected: "holds",
    run: async (field) => {
      const body = payloads.gzipped(payloads.emptyFields(field.size(10_000_000, 1_000_000)));
      const connections = field.size(16, 4);
      await sendBodies(field, { type: "x-protobuf", encoding: "gzip", body, connections });
    },
  },
  {
    name: "protobuf-empty-attributes",
    does: "16 connections send gzip protobuf of 10 million empty attributes in one span",
    expected: "holds",
    run: async (field) => {
      const body = payloads.gzipped(payloads.emptyAttributes(field.size(10_000_000, 1_000_000)));
      const connections = field.size(16, 4);
      await sendBodies(field, { type: "x-protobuf", encoding: "gzip", body, connections });
    },
  },
  {
    name: "zstd-bombs",
    does: "50 connections send bodies of under 1 kB that inflate to 20 MiB of zeros, with zstd",
    expected: "holds",
    run: async (field) => {
      const body = payloads.zstdBomb(20 * MIB);
      const connections = field.size(50, 50);
      await sendBodies(field, { type: "x-protobuf", encoding: "zstd", body, connections });
    },
  },
  {
    name: "http-gzip-bombs",
    does: "50 connections send bodies that inflate to 20 MiB of zeros, with gzip",
    expected: "holds",
    run: async (field) => {
      const body = payloads.gzipped(Buffer.alloc(20 * MIB));
      const connections = field.size(50, 50);
      await sendBodies(field, { type: "x-protobuf", encoding: "gzip", body, connections });
    },
  },
  {
    name: "grpc-gzip-bombs",
    does: "50 calls at once, each with a message that inflates to 4 MiB of zeros, with gzip",
    expected: "holds",
    run: (field) => sendGrpcBombs(field, "gzip"),
  },
  {
    name: "grpc-deflate-bombs",
    does: "50 calls at once, each with a message that inflates to 4 MiB of zeros, with deflate",
    expected: "holds",
    run: (field) => sendGrpcBombs(field, "deflate"),
  },
];
