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
import { ChannelSockets } from "./channel-sockets.ts";
import type { TlsMaterial } from "./forward-files.ts";
import { isLoopback, withoutBrackets } from "../../domain/text/host-address.ts";

/** One more than usual, so that grpc-js's words for it are not those of an upstream's own limit. */
export const MAX_ANSWER_BYTES = MAX_RESPONSE_BYTES + 1;

/**
 * How soon a lost upstream is looked for again. When to send again is not decided here, but then
 * the connection must be there: grpc-js would look after up to two minutes.
 */
const FIRST_RECONNECT_MS = 100;
const LAST_RECONNECT_MS = 1000;

export interface GrpcUpstream {
  /** IPv6 addresses in brackets. */
  readonly host: string;
  readonly port: number;
  /** Undefined for a connection without encryption. */
  readonly tls: TlsMaterial | undefined;
  readonly compression: "none" | "gzip";
  readonly userAgent: string;
}

/** A client that has a connection of its own. */
export class GrpcClient {
  // Fixed at construction.
  readonly calls: Client;
  private readonly sockets = new ChannelSockets();

  constructor(upstream: GrpcUpstream) {
    const { host, port, tls } = upstream;
    const given = tls === undefined ? credentials.createInsecure() : tlsCredentials(host, tls);
    const watched = this.sockets.watchedBy(given);
    this.calls = new Client(`dns:${host}:${port}`, watched, optionsOf(upstream));
  }

  /** Calls on a connection go on to their ends; one that is only being made is broken off. */
  close(): void {
    const isReady = this.calls.getChannel().getConnectivityState(false) === connectivityState.READY;
    this.calls.close();
    if (!isReady) this.sockets.destroyAll();
  }
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
    // A doubted connection would be found there again.
    "grpc.use_local_subchannel_pool": 1,
    ...(isAddress ? { [SENT_NAME]: NAME_OF_ADDRESS } : {}),
  };
}

/**
 * grpc-js puts the host into TLS as the server's name, but an address is none, and Bun throws. So
 * another name goes there, and the certificate is held against the host all the same.
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
