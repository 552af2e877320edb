import { connect } from "node:net";
import type { Socket } from "node:net";
import { FLAG, frame, FRAME, GREETING } from "./grpc-wire.ts";

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/**
 * A peer that sends only what a test tells it to. It acknowledges nothing, answers no pings, and
 * never closes its side before the test does.
 */
export class GrpcRawPeer {
  readonly socket: Socket;
  readonly frames: ReceivedFrame[] = [];
  /** Resolves when the server has sent its FIN, or has reset the connection. */
  readonly ended: Promise<void>;
  private unread = Buffer.alloc(0);
  private readonly waiting = new Set<() => void>();

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    this.socket.on("data", (bytes: Buffer) => this.receive(bytes));
    this.ended = new Promise((resolve) => {
      for (const event of ["end", "close"]) this.socket.once(event, () => resolve());
      this.socket.on("error", () => resolve());
    });
  }

  send(...bytes: readonly Uint8Array[]): this {
    this.socket.write(Buffer.concat(bytes));
    return this;
  }

  greet(): this {
    return this.send(GREETING, frame({ type: FRAME.settings, flags: FLAG.acknowledge }));
  }

  /** Resolves to the first matching frame, received or future; rejects if the server ends first. */
  async frame(fits: (candidate: ReceivedFrame) => boolean): Promise<ReceivedFrame> {
    const found = Promise.withResolvers<ReceivedFrame>();
    const look = () => {
      const candidate = this.frames.find(fits);
      if (candidate !== undefined) found.resolve(candidate);
    };
    this.waiting.add(look);
    look();
    void this.ended.then(() => found.reject(new Error("ended before such a frame came")));
    return await found.promise.finally(() => this.waiting.delete(look));
  }

  destroy(): void {
    this.socket.destroy();
  }

  private receive(bytes: Buffer): void {
    this.unread = Buffer.concat([this.unread, bytes]);
    while (this.unread.length >= 9 && this.unread.length >= 9 + this.unread.readUIntBE(0, 3)) {
      this.take(9 + this.unread.readUIntBE(0, 3));
    }
    for (const look of this.waiting) look();
  }

  private take(lengthBytes: number): void {
    this.frames.push({
      type: this.unread.readUInt8(3),
      flags: this.unread.readUInt8(4),
      streamId: this.unread.readUInt32BE(5),
      payload: this.unread.subarray(9, lengthBytes),
    });
    this.unread = this.unread.subarray(lengthBytes);
  }
}
