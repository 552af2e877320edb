import { isLoopback } from "../../../domain/text/host-address.ts";

/**
 * For `fetch`, which otherwise asks the proxy of `HTTP_PROXY` for what is on this machine too. In
 * front of any other host the environment decides.
 */
export function proxyFor(url: string): { readonly proxy?: false } {
  return isLoopback(URL.parse(url)?.hostname ?? "") ? { proxy: false } : {};
}
