import { connect, type Socket } from "node:net";
import type { Field, Listener } from "../attack-case.ts";

/** One side of a connection, as the attacker plays it. */
export interface Talk {
  readonly opening: Uint8Array;
  /** Returns the next bytes to send, or undefined if there are none for now. */
  readonly next?: () => Uint8Array | undefined;
  /** Receives bytes; may return a reply. */
  readonly take?: (bytes: Buffer) => Uint8Array | undefined;
}

export interface Siege {
  readonly listener: Listener;
  readonly connections: number;
  /** Called for each connection when it opens. */
  readonly talk: () => Talk;
  /** Whether the attacker reads responses. */
  readonly reads?: boolean;
  /** Whether another connection is opened when one ends. */
  readonly reconnects?: boolean;
  /** The time after which the attacker closes a connection to begin again. */
  readonly lifeMs?: number;
  /** Whether to connect from the address of the well-behaved clients. */
  readonly sharesAddress?: boolean;
}

/** The receiver admits 200 connections per address; a careful attacker stays below that. */
const CONNECTIONS_PER_ADDRESS = 190;
/** Connections are opened in groups, so that the backlog of the listening socket is sufficient. */
const GROUP = 64;
/** The number of pieces that a connection sends in one turn. */
const PIECES_PER_TURN = 16;

/** Keeps this many connections busy until the attack is over. */
export async function besiege(field: Field, siege: Siege): Promise<void> {
  const sockets = new Set<Socket>();
  const begin = (at: number): void => {
    if (field.isOver()) return;
    const address = siege.sharesAddress === true ? "127.0.0.1" : addressOf(at);
    const socket = attackOver(field, siege, address);
    sockets.add(socket);
    const again = () => {
      sockets.delete(socket);
      if (siege.reconnects !== false) setImmediate(begin, at);
    };
    socket.once("close", again);
  };
  for (let at = 0; at < siege.connections && !field.isOver(); at += 1) {
    begin(at);
    if (at % GROUP === GROUP - 1) await new Promise((resolve) => void setTimeout(resolve, 2));
  }
  await field.over;
  for (const socket of sockets) socket.destroy();
}

/** Returns an address of the loopback network that no well-behaved client uses. */
export function addressOf(at: number): string {
  return `127.0.1.${1 + Math.floor(at / CONNECTIONS_PER_ADDRESS)}`;
}

function attackOver(field: Field, siege: Siege, localAddress: string): Socket {
  const talk = siege.talk();
  const port = field.ports[siege.listener];
  const socket = connect({ port, host: "127.0.0.1", localAddress, noDelay: true });
  socket.on("error", (error: NodeJS.ErrnoException) => field.tally.add(error.code ?? "error"));
  socket.once("end", () => field.tally.add("closed"));
  const pour = pouring(socket, talk, field);
  socket.on("drain", pour);
  if (siege.reads === false) socket.pause();
  else socket.on("data", (bytes: Buffer) => answer(socket, talk, bytes, pour));
  socket.once("connect", () => {
    socket.write(talk.opening);
    pour();
  });
  if (siege.lifeMs !== undefined) setTimeout(() => socket.destroy(), siege.lifeMs);
  return socket;
}

function answer(socket: Socket, talk: Talk, bytes: Buffer, pour: () => void): void {
  const reply = talk.take?.(bytes);
  if (reply !== undefined && reply.length > 0) socket.write(reply);
  pour();
}

/** Sends the bytes of the talk as fast as the other side accepts them. */
function pouring(socket: Socket, talk: Talk, field: Field): () => void {
  let isWaiting = false;
  const pour = (): void => {
    isWaiting = false;
    for (let piece = 0; piece < PIECES_PER_TURN; piece += 1) {
      if (field.isOver() || socket.destroyed || socket.writableNeedDrain) return;
      const bytes = talk.next?.();
      if (bytes === undefined) return;
      socket.write(bytes);
    }
    if (!isWaiting) setImmediate(pour);
    isWaiting = true;
  };
  return () => {
    if (!isWaiting) pour();
  };
}
