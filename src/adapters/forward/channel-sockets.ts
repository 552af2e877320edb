import type { ChannelCredentials, experimental } from "@grpc/grpc-js";
import type { Socket } from "node:net";

/**
 * Holds the sockets of a grpc-js channel, so that they can be destroyed. A channel has no time
 * limit between connecting and the first SETTINGS frame of its peer, and on Bun one that is closed
 * in between leaves its socket open (`test/quirks/grpc-js.test.ts`).
 */
export class ChannelSockets {
  // Moved by `watch`, and by sockets that close.
  private readonly sockets = new Set<Socket>();

  /** Returns the credentials, with their sockets watched. Use them for one channel only. */
  watchedBy(credentials: ChannelCredentials): ChannelCredentials {
    return withConnectors(credentials, (connector) =>
      watchedConnector(connector, (socket) => this.watch(socket)),
    );
  }

  /** Destroys all sockets that are still open. */
  destroyAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private watch(socket: Socket): void {
    this.sockets.add(socket);
    socket.once("close", () => this.sockets.delete(socket));
  }
}

type Connector = experimental.SecureConnector;

function withConnectors(
  credentials: ChannelCredentials,
  wrap: (connector: Connector) => Connector,
): ChannelCredentials {
  const { _createSecureConnector: create } = credentials;
  return Object.assign(credentials, {
    _createSecureConnector: (...parts: Parameters<typeof create>) =>
      wrap(create.apply(credentials, parts)),
  });
}

/** Watches the sockets of a connector. With TLS it has two, one within the other. */
function watchedConnector(connector: Connector, watch: (socket: Socket) => void): Connector {
  return {
    connect: async (socket) => {
      watch(socket);
      const result = await connector.connect(socket);
      if (result.socket !== socket) watch(result.socket);
      return result;
    },
    waitForReady: () => connector.waitForReady(),
    getCallCredentials: () => connector.getCallCredentials(),
    destroy: () => connector.destroy(),
  };
}
