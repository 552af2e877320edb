import type { BufferStats } from "../../../src/domain/ledger.ts";

const PROTOBUF = { Accept: "application/x-protobuf" };

/** A client of the read API of a running program. Every response must be a success. */
export interface ReadApiClient {
  stats(): Promise<BufferStats>;
  /** OTLP/JSON, parsed. */
  spansAsJson(limit: number): Promise<unknown>;
  spansAsBytes(limit: number): Promise<Uint8Array>;
  takeAsBytes(limit: number): Promise<Uint8Array>;
}

export function readApiClient(apiUrl: string): ReadApiClient {
  const get = (path: string, init?: RequestInit) => success(`${apiUrl}${path}`, init);
  return {
    stats: async () => (await (await get("/api/stats")).json()) as BufferStats,
    spansAsJson: async (limit) => await (await get(`/api/spans?limit=${limit}`)).json(),
    spansAsBytes: async (limit) =>
      await (await get(`/api/spans?limit=${limit}`, { headers: PROTOBUF })).bytes(),
    takeAsBytes: async (limit) => {
      const init = { method: "POST", headers: PROTOBUF };
      return await (await get(`/api/spans/take?limit=${limit}`, init)).bytes();
    },
  };
}

async function success(url: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response;
}
