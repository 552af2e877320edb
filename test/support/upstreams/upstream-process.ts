/**
 * A trace receiver in its own process, for `running-upstream.ts`:
 *
 *   bun upstream-process.ts grpc|http FILE PORT
 *
 * It appends accepted spans to FILE before it responds, so even a sudden end does not undo a
 * response. It follows the orders of its parent, reports after each of them, and ends with its
 * parent.
 */
import type { Buffer } from "node:buffer";
import { openSync, writeSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { cutRequest } from "../../../src/domain/wire/assemble.ts";
import { lengthDelimited } from "../requests/byte-chunks.ts";
import { grpcFailure, type GrpcReply, grpcSuccess, startGrpcUpstream } from "./grpc-upstream.ts";
import { startHttpUpstream } from "./http-upstream.ts";
import { exportFailure, exportSuccess } from "./otlp-receiver.ts";
import { countSpans } from "../oracles/walked-spans.ts";

export type UpstreamProtocol = "grpc" | "http";

export type OrderedAnswer =
  | { readonly kind: "accept" }
  /** Accepts all spans but the last few. */
  | { readonly kind: "reject"; readonly rejectedSpans: number }
  /** Accepts nothing. `code` is a status of gRPC or of HTTP. */
  | {
      readonly kind: "fail";
      readonly code: number;
      readonly message?: string;
      readonly afterMs?: number;
      /** Over HTTP: whether `afterMs` is sent as a date. */
      readonly isDate?: boolean;
    }
  /** Accepts all spans without responding. */
  | { readonly kind: "silent" };

/** A change of behaviour; absent members stay unchanged. */
export interface UpstreamOrder {
  /** `cut`: every connection is reset after `CUT_AFTER_BYTES`. */
  readonly listen?: "open" | "closed" | "cut";
  /** The responses to the next requests, one each, before the usual ones. */
  readonly next?: readonly OrderedAnswer[];
  readonly usual?: OrderedAnswer;
}

export interface UpstreamReport {
  /** The current or last port. */
  readonly port: number;
  /** The number of spans of each request that was read completely. */
  readonly batches: readonly number[];
  /** The `authorization` header of the last request. */
  readonly authorization: string;
}

/**
 * The offset of a cut, in the middle of a batch, because batches are larger in the tests that cut.
 */
export const CUT_AFTER_BYTES = 20_000;

if (import.meta.main) await serve();

async function serve(): Promise<void> {
  const [protocol, path = "", port] = process.argv.slice(2);
  const upstream = new OrderedUpstream(protocol as UpstreamProtocol, openSync(path, "a"));
  process.on("disconnect", () => process.exit(0));
  process.on("message", async (order: UpstreamOrder) => process.send!(await upstream.obey(order)));
  process.send!(await upstream.listenAt(Number(port)));
}

interface Listening {
  readonly port: number;
  stop(): Promise<unknown>;
}

class OrderedUpstream {
  private readonly protocol: UpstreamProtocol;
  private readonly file: number;
  private readonly batches: number[] = [];
  private authorization = "";
  private next: OrderedAnswer[] = [];
  private usual: OrderedAnswer = { kind: "accept" };
  private listening: Listening | undefined;
  private port = 0;

  constructor(protocol: UpstreamProtocol, file: number) {
    this.protocol = protocol;
    this.file = file;
  }

  async listenAt(port: number): Promise<UpstreamReport> {
    this.listening = await this.open(port);
    this.port = this.listening.port;
    return this.report();
  }

  async obey({ listen, next = [], usual = this.usual }: UpstreamOrder): Promise<UpstreamReport> {
    this.next.push(...next);
    this.usual = usual;
    if (listen !== undefined) await this.listenAnew(listen);
    return this.report();
  }

  private async listenAnew(how: "open" | "closed" | "cut"): Promise<void> {
    await this.listening?.stop();
    this.listening = undefined;
    if (how === "open") this.listening = await this.open(this.port);
    if (how === "cut") this.listening = await cutInFront(await this.open(0), this.port);
  }

  private async open(port: number): Promise<Listening> {
    if (this.protocol === "http") {
      return startHttpUpstream(
        ({ bytes, headers }) => httpReply(this.answer(bytes, headers.get("authorization"))),
        { port },
      );
    }
    return await startGrpcUpstream(
      ({ bytes, metadata }) => grpcReply(this.answer(bytes, metadata.get("authorization")[0])),
      { port },
    );
  }

  private answer(request: Uint8Array, authorization: unknown): OrderedAnswer {
    const spanCount = countSpans(request);
    const answer = this.next.shift() ?? this.usual;
    this.batches.push(spanCount);
    this.authorization = String(authorization ?? "");
    const kept = answer.kind === "fail" ? 0 : spanCount - rejectedBy(answer);
    if (kept === 0) return answer;
    if (kept === spanCount) this.keep(request);
    else this.keep(cutRequest(request, { first: 0, end: kept }));
    return answer;
  }

  private keep(request: Uint8Array): void {
    writeSync(this.file, lengthDelimited(request));
  }

  private report(): UpstreamReport {
    const { port, batches, authorization } = this;
    return { port, batches, authorization };
  }
}

function rejectedBy(answer: OrderedAnswer): number {
  return answer.kind === "reject" ? answer.rejectedSpans : 0;
}

const REJECTED = "too old";

function grpcReply(answer: OrderedAnswer): GrpcReply {
  switch (answer.kind) {
    case "accept":
      return grpcSuccess();
    case "reject":
      return grpcSuccess(answer.rejectedSpans, REJECTED);
    case "fail":
      return grpcFailure(answer.code, answer.message ?? "", answer.afterMs);
    case "silent":
      return undefined;
  }
}

const PROTOBUF = "application/x-protobuf";

function httpReply(answer: OrderedAnswer): Response | undefined {
  switch (answer.kind) {
    case "accept":
      return exportSuccess(PROTOBUF);
    case "reject":
      return exportSuccess(PROTOBUF, answer.rejectedSpans, REJECTED);
    case "fail":
      return exportFailure(answer.code, answer.message ?? "", { retryAfter: retryAfter(answer) });
    case "silent":
      return undefined;
  }
}

function retryAfter({ afterMs, isDate = false }: OrderedAnswer & { kind: "fail" }): string {
  if (afterMs === undefined) return "";
  return isDate ? new Date(Date.now() + afterMs).toUTCString() : String(afterMs / 1000);
}

/** Forwards data both ways until the limit is reached. */
async function cutInFront(behind: Listening, port: number): Promise<Listening> {
  const front = createServer((client) => {
    const server = connect(behind.port, "127.0.0.1");
    let leftBytes = CUT_AFTER_BYTES;
    client.on("data", (bytes: Buffer) => {
      server.write(bytes.subarray(0, leftBytes));
      leftBytes -= bytes.length;
      if (leftBytes <= 0) client.resetAndDestroy();
    });
    server.on("data", (bytes: Buffer) => client.write(bytes));
    for (const [end, other] of [[client, server] as const, [server, client] as const]) {
      end.on("error", () => {});
      end.on("close", () => other.destroy());
    }
  });
  await listenOn(front, port);
  const stop = async () => {
    front.close();
    await behind.stop();
  };
  return { port, stop };
}

async function listenOn(server: Server, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, "127.0.0.1", resolve);
  await promise;
}
