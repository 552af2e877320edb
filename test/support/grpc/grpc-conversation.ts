import { Metadata } from "@grpc/grpc-js";
import type { Client, ClientDuplexStream, ClientReadableStream, StatusObject } from "@grpc/grpc-js";
import { sameBytes } from "./grpc-call.ts";

/** A call with several responses, which are read one at a time, in order. */
export interface GrpcConversation {
  /** Resolves to the next response; rejects if the call ends instead. */
  next(): Promise<Buffer>;
  /** Resolves to the status at the end of the call. */
  readonly ended: Promise<StatusObject>;
  cancel(): void;
}

export function openServerStream(
  client: Client,
  path: string,
  message: Uint8Array,
): GrpcConversation {
  const body = Buffer.from(message);
  return listen(client.makeServerStreamRequest(path, sameBytes, sameBytes, body, new Metadata()));
}

export interface GrpcDialogue extends GrpcConversation {
  readonly call: ClientDuplexStream<Buffer, Buffer>;
}

export function openDialogue(client: Client, path: string): GrpcDialogue {
  const call = client.makeBidiStreamRequest(path, sameBytes, sameBytes, new Metadata());
  return { ...listen(call), call };
}

type Call = ClientReadableStream<Buffer> | ClientDuplexStream<Buffer, Buffer>;

function listen(call: Call): GrpcConversation {
  const answers: Buffer[] = [];
  const waiting: PromiseWithResolvers<Buffer>[] = [];
  call.on("data", (answer: Buffer) => {
    const first = waiting.shift();
    if (first === undefined) answers.push(answer);
    else first.resolve(answer);
  });
  // A status other than OK is also emitted as an error; `ended` reports it.
  call.on("error", () => {});
  const ended = new Promise<StatusObject>((resolve) => void call.on("status", resolve));
  call.on("status", ({ code }: StatusObject) => {
    for (const promise of waiting) promise.reject(new Error(`ended with code ${code}`));
  });
  const next = async () => {
    const answer = answers.shift();
    if (answer !== undefined) return answer;
    const promise = Promise.withResolvers<Buffer>();
    waiting.push(promise);
    return await promise.promise;
  };
  return { next, ended, cancel: () => call.cancel() };
}
