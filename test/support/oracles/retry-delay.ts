import type { ServiceError } from "@grpc/grpc-js";
import { google } from "../../../src/adapters/otlp/generated/otlp.js";

/**
 * Returns the delay in milliseconds from the RetryInfo in the status details; undefined if there is
 * none.
 */
export function retryDelayOf(refusal: unknown): number | undefined {
  const [details] = (refusal as ServiceError).metadata.get("grpc-status-details-bin");
  return retryDelayIn(details as Buffer);
}

/** Returns the same for an encoded `google.rpc.Status`. */
export function retryDelayIn(status: Uint8Array): number | undefined {
  const [retryInfo] = google.rpc.Status.decode(status).details;
  if (!retryInfo?.typeUrl.endsWith("/google.rpc.RetryInfo")) return undefined;
  const { retryDelay } = google.rpc.RetryInfo.decode(retryInfo.value);
  return Number(retryDelay?.seconds.low) * 1000 + Number(retryDelay?.nanos) / 1e6;
}
