import {
  type ChannelCredentials,
  Client,
  type ClientOptions,
  compressionAlgorithms,
  connectivityState,
  credentials,
} from "@grpc/grpc-js";
import { isIP } from "node:net";
import { checkServerIdentity as nodeCheckServerIdentity, type PeerCertificate } from "node:tls";
import { MAX_RESPONSE_BYTES } from "../otlp/export-response.ts";
import { compressFast } from "./grpc-compression.ts";
import { ChannelSockets } from "./channel-sockets.ts";
import type { TlsMaterial } from "./forward-files.ts";
import { isLoopback, withoutBrackets } from "../../domain/text/host-address.ts";

/**
 * One byte more than the usual limit, so that the message of grpc-js for it differs from that of an
 * upstream that reports its own limit.
 */
export const MAX_ANSWER_BYTES = MAX_RESPONSE_BYTES + 1;

/**
 * The pauses between attempts to reconnect. The gate decides when to send again, and the connection
 * must be ready by then: by default, grpc-js pauses for up to two minutes.
 */
const FIRST_RECONNECT_MS = 100;
const LAST_RECONNECT_MS = 1000;

export interface GrpcUpstream {
  /** A host name or an address; an IPv6 address is in brackets. */
  readonly host: string;
  readonly port: number;
  /** The path of a Unix socket, to connect to instead of host and port. */
  readonly socketPath?: string | undefined;
  /** The certificates; undefined for a connection without encryption. */
  readonly tls: TlsMaterial | undefined;
  readonly compression: "none" | "gzip";
  readonly userAgent: string;
}

/** A client with a connection of its own. */
export class GrpcClient {
  // Fixed at construction.
  readonly calls: Client;
  private readonly sockets = new ChannelSockets();

  constructor(upstream: GrpcUpstream) {
    const { host, tls, compression } = upstream;
    if (compression === "gzip") compressFast();
    const given = tls === undefined ? credentials.createInsecure() : tlsCredentials(host, tls);
    const watched = this.sockets.watchedBy(given);
    this.calls = new Client(targetOf(upstream), watched, optionsOf(upstream));
  }

  /** Closes the client. Calls on an open connection finish; an unfinished connection is aborted. */
  close(): void {
    const isReady = this.calls.getChannel().getConnectivityState(false) === connectivityState.READY;
    this.calls.close();
    if (!isReady) this.sockets.destroyAll();
  }
}

function targetOf({ host, port, socketPath }: GrpcUpstream): string {
  return socketPath === undefined ? `dns:${host}:${port}` : `unix:${socketPath}`;
}

function optionsOf({ host, tls, compression, userAgent }: GrpcUpstream): ClientOptions {
  const { gzip, identity } = compressionAlgorithms;
  const isAddress = tls !== undefined && isIP(withoutBrackets(host)) !== 0;
  return {
    "grpc.default_compression_algorithm": compression === "gzip" ? gzip : identity,
    "grpc.max_receive_message_length": MAX_ANSWER_BYTES,
    "grpc.initial_reconnect_backoff_ms": FIRST_RECONNECT_MS,
    "grpc.max_reconnect_backoff_ms": LAST_RECONNECT_MS,
    "grpc.primary_user_agent": userAgent,
    "grpc.enable_retries": 0,
    "grpc.enable_channelz": 0,
    "grpc.enable_http_proxy": isLoopback(host) ? 0 : 1,
    "grpc.service_config_disable_resolution": 1,
    // A new client would otherwise find the suspect connection in the global pool.
    "grpc.use_local_subchannel_pool": 1,
    ...(isAddress ? { [SENT_NAME]: NAME_OF_ADDRESS } : {}),
  };
}

/**
 * The option that replaces the server name in TLS. grpc-js sends the host as the server name, but
 * an IP address is not a valid one, and Bun throws. So another name is sent, and the certificate is
 * still checked against the host.
 *
 * Source: RFC 6066, section 3; https://github.com/grpc/grpc-node/issues/1919
 */
const SENT_NAME = "grpc.ssl_target_name_override";
const NAME_OF_ADDRESS = "address.invalid";

function tlsCredentials(host: string, tls: TlsMaterial): ChannelCredentials {
  const { ca = null, key = null, cert = null, rejectUnauthorized } = tls;
  const checked = withoutBrackets(host);
  const checkServerIdentity = (_: string, peer: PeerCertificate) =>
    rejectUnauthorized ? nodeCheckServerIdentity(checked, peer) : undefined;
  return credentials.createSsl(ca, key, cert, { rejectUnauthorized, checkServerIdentity });
}
