import { signal } from "@preact/signals";

const TOKEN_KEY = "spanring-token";

/** Whether the API has refused a request for want of a valid token. */
export const needsToken = signal(false);

/** Whether the last request got a response. */
export const isConnected = signal(true);

/** A refusal of the API, in its own words. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** Keeps the token until the tab is closed. */
export function useToken(token: string): void {
  sessionStorage.setItem(TOKEN_KEY, token);
  needsToken.value = false;
}

/** Returns the header of the token, if the user has entered one. */
export function authorization(): { readonly Authorization?: string } {
  const token = sessionStorage.getItem(TOKEN_KEY);
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

/** Requests a path of the API. Rejects with an `ApiError` unless it succeeds. */
export async function requestApi(path: string, accept = "application/json"): Promise<Response> {
  const headers = { Accept: accept, ...authorization() };
  const response = await fetch(path, { headers }).catch(() => undefined);
  isConnected.value = response !== undefined;
  if (response === undefined) throw new ApiError(0, "spanring does not answer");
  if (response.status === 401) needsToken.value = true;
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as { readonly detail?: string };
  throw new ApiError(response.status, problem.detail ?? `status ${response.status}`);
}

/** Requests JSON. The page comes from the same program as the API, so their types agree. */
export async function requestJson<Body>(path: string): Promise<Body> {
  return (await (await requestApi(path)).json()) as Body;
}

/** Saves a response as a file. */
export async function download(path: string, accept: string, name: string): Promise<void> {
  const url = URL.createObjectURL(await (await requestApi(path, accept)).blob());
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
