import { authorization, isConnected, needsToken } from "./api.ts";

/**
 * Sends a file, and reports the share of it that spanring has taken. Rejects with the reason in
 * words. `fetch` would report no progress.
 */
export function uploadFile<Body>(file: Blob, progressed: (share: number) => void): Promise<Body> {
  const request = new XMLHttpRequest();
  request.open("POST", "/api/upload");
  const headers = { "Content-Type": "application/octet-stream", ...authorization() };
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.upload.addEventListener("progress", ({ loaded, total }) =>
    progressed(loaded / Math.max(1, total)),
  );
  return new Promise((resolve, reject) => {
    request.addEventListener("error", () => reject(new Error("the connection was lost")));
    request.addEventListener("load", () => {
      isConnected.value = true;
      if (request.status === 401) needsToken.value = true;
      if (request.status === 200) resolve(JSON.parse(request.responseText) as Body);
      else reject(new Error(refusalOf(request)));
    });
    // A file has no type of its own here: what it contains decides.
    request.send(file);
  });
}

function refusalOf({ status, responseText }: XMLHttpRequest): string {
  try {
    return (JSON.parse(responseText) as { readonly detail: string }).detail;
  } catch {
    return `status ${status}`;
  }
}
