import type { ServerOptions } from "@grpc/grpc-js";
import type { LimitsConfig } from "../../config/config.ts";

/** For streams that are open when a connection has reached its age. */
const AGE_GRACE_MS = 30_000;

/** By default grpc-js has none of these limits except that of messages; 0 stands for "off" here. */
export function serverOptions(limits: LimitsConfig, maxMessageBytes: number): ServerOptions {
  return {
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_concurrent_streams": limits.streamsPerConnection,
    "grpc.max_connection_idle_ms": limits.idleMs,
    "grpc.max_connection_age_ms": limits.connectionAgeMs,
    "grpc.max_connection_age_grace_ms": AGE_GRACE_MS,
    "grpc.keepalive_time_ms": limits.keepaliveMs,
    "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
    // Statistics of every call, for a service that we do not offer.
    "grpc.enable_channelz": 0,
  };
}
