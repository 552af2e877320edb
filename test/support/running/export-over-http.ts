/** Sends a request to an OTLP/HTTP listener; throws if it is not accepted completely. */
export async function exportOverHttp(endpoint: string, request: Uint8Array): Promise<void> {
  const answer = await fetch(`${endpoint}/v1/traces`, {
    method: "POST",
    headers: { "Content-Type": "application/x-protobuf" },
    body: request,
  });
  const body = await answer.bytes();
  if (answer.status !== 200 || body.length > 0) throw new Error(`answered ${answer.status}`);
}
