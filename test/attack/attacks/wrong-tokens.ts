import { EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import type { Attack } from "../attack-case.ts";
import { eachAnswered, http1Request } from "../wire/http1-talk.ts";
import { http2Talk, type Http2State, opensCall } from "../wire/http2-talk.ts";
import { besiege } from "../wire/siege.ts";

const WRONG = { "x-api-key": "wrong" };
const PROTOBUF = { "Content-Type": "application/x-protobuf" };
const STREAMS = 100;
const BODY_BYTES = 1024 * 1024;

/** Opens one more call, whose message never comes, unless as many as allowed are open. */
function oneMoreCall({ open, nextStream }: Http2State): Uint8Array | undefined {
  return open.size < STREAMS ? opensCall(nextStream(), EXPORT_PATH, WRONG) : undefined;
}

export const WRONG_TOKENS: readonly Attack[] = [
  {
    name: "grpc-wrong-tokens",
    does: "64 connections try tokens over OTLP/gRPC, on 100 streams each",
    expected: "holds",
    requiresToken: true,
    run: async (field) => {
      const talk = () => http2Talk(field.tally, oneMoreCall);
      await besiege(field, { listener: "grpc", connections: field.size(64, 8), talk });
    },
  },
  {
    name: "http-wrong-tokens",
    does: "64 connections try tokens over OTLP/HTTP, with bodies of 1 MiB",
    expected: "holds",
    requiresToken: true,
    run: async (field) => {
      const headers = { ...PROTOBUF, ...WRONG };
      const request = http1Request({ headers, body: Buffer.alloc(BODY_BYTES) });
      const talk = () => eachAnswered(request, field.tally);
      await besiege(field, { listener: "http", connections: field.size(64, 8), talk });
    },
  },
];
