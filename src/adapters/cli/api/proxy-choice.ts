/** This machine, which no proxy can reach; `0.0.0.0` is where a receiver says that it listens. */
const OWN_HOST = /^(localhost|.+\.localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1?\])$/;

/**
 * For `fetch`, which otherwise asks the proxy of `HTTP_PROXY` for what is on this machine too. In
 * front of any other host the environment decides.
 */
export function proxyFor(url: string): { readonly proxy?: false } {
  return OWN_HOST.test(URL.parse(url)?.hostname ?? "") ? { proxy: false } : {};
}
