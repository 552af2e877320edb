import type { Semaphore } from "../../application/waiting/semaphore.ts";
import type { Clock } from "../../ports/clock.ts";
import type { upload } from "../api-messages/upload.ts";
import { isTooSlow } from "../listening/arrival-rate.ts";
import { noteAnswer } from "../otlp/receive-request.ts";
import { jsonResponse } from "./ledger-answers.ts";
import { type Problem, ProblemError, RETRY_SOON, STOPPING } from "./problem.ts";
import type { ApiRequest, ParsedRequest, RouteContext } from "./route.ts";
import { receiveFile, type UploadParts } from "./upload/receive-file.ts";

/** The type of an uploaded file, which no form of a page can send. */
export const FILE_TYPE = "application/octet-stream";

/** The maximum size of a file. */
export const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** The limit of concurrent uploads. */
export const MAX_UPLOADS = 4;

/** Receives the spans of a file of any format that `spanring send` reads. */
export async function answerUpload(
  context: RouteContext,
  { request }: ParsedRequest<unknown>,
): Promise<Response> {
  const problem = refusalOf(context, request);
  if (problem !== undefined) throw new ProblemError(problem);
  const release = takePermit(context.uploads);
  try {
    return await receiveUpload(context, request, context.upload!);
  } finally {
    release();
  }
}

function refusalOf(
  { upload: parts, stopping }: RouteContext,
  { headers, bodyChunks }: ApiRequest,
): Problem | undefined {
  if (parts === undefined) return { status: 404, detail: "this spanring receives no files" };
  if (stopping.aborted) return STOPPING;
  if (headers.get("content-type") !== FILE_TYPE) {
    return { status: 415, detail: `Content-Type must be ${FILE_TYPE}` };
  }
  if (bodyChunks === undefined || !headers.has("content-length")) {
    return { status: 411, detail: "an upload must have a Content-Length" };
  }
  if (Number(headers.get("content-length")) <= MAX_FILE_BYTES) return undefined;
  const most = `${MAX_FILE_BYTES / 1024 / 1024} MiB`;
  return { status: 413, detail: `a file may have ${most}; "spanring send" takes larger ones` };
}

function takePermit(uploads: Semaphore): () => void {
  const release = uploads.take();
  if (release !== undefined) return release;
  const detail = `${MAX_UPLOADS} files are being uploaded already; retry later`;
  throw new ProblemError({ status: 503, detail, headers: RETRY_SOON });
}

async function receiveUpload(
  context: RouteContext,
  request: ApiRequest,
  { budget, receivers, limits, maxDecompressedBytes = 4 * MAX_FILE_BYTES }: UploadParts,
): Promise<Response> {
  const { problems, clock } = context;
  let isDropped = false;
  const open = budget.begin({ dropped: () => void (isDropped = true) }, UPLOAD_BYTES);
  const held = (bytes: number): void => {
    budget.hold(open, bytes);
    if (isDropped) throw new Error("requests in flight take too much memory");
  };
  let decompressedBytes = 0;
  try {
    const tally = await receiveFile(arriving(request.bodyChunks!, held, clock), {
      receivers,
      limits,
      failed: (error) => problems.note({ ...SENDER, reason: "failed", error }),
      answered: (receipt) => noteAnswer(problems, receipt, { protocol: "http", peer: SENDER }),
      decompressed: (bytes) => {
        decompressedBytes += bytes;
        if (decompressedBytes > maxDecompressedBytes) {
          throw new Error(`more than ${maxDecompressedBytes} bytes when decompressed`);
        }
        held(bytes);
      },
      // The reader keeps one request back, in case that the next one shows it to be cut off.
      received: (fileBytes) => {
        budget.releasePieces(open);
        budget.hold(open, fileBytes);
      },
    });
    return jsonResponse<typeof upload>(tally);
  } finally {
    budget.end(open);
  }
}

/** Uploads are counted like requests over HTTP, and so are their problems. */
const SENDER = { protocol: "http", address: "" } as const;

/** The memory of an upload without what it holds of the file. */
const UPLOAD_BYTES = 64 * 1024;

/** Yields the chunks as they arrive, and charges each before it is read. */
async function* arriving(
  chunks: AsyncIterable<Uint8Array>,
  held: (bytes: number) => void,
  clock: Clock,
): AsyncGenerator<Uint8Array> {
  const startedMs = clock.monotonicMs();
  let arrivedBytes = 0;
  for await (const chunk of chunks) {
    arrivedBytes += chunk.length;
    held(chunk.length);
    if (isTooSlow(arrivedBytes, clock.monotonicMs() - startedMs)) {
      throw new Error("the file arrives at less than 1 KiB a second");
    }
    yield chunk;
  }
}
