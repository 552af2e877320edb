import { signal } from "@preact/signals";
import { uploadFile } from "../client/upload.ts";
import type { UploadResult } from "../model/upload-result.ts";

/** A file that the user has chosen, and how far it is. */
export interface Upload {
  readonly id: number;
  readonly name: string;
  /** The share that has been sent, from 0 to 1. */
  readonly share: number;
  readonly result?: UploadResult;
  readonly mistake?: string;
}

export const uploads = signal<readonly Upload[]>([]);

let lastId = 0;
let queue = Promise.resolve();

/** Uploads files one after the other. */
export function upload(files: Iterable<File>): void {
  for (const file of files) {
    const id = (lastId += 1);
    uploads.value = [...uploads.value, { id, name: file.name, share: 0 }];
    queue = queue.then(async () => await send(id, file));
  }
}

/** Forgets the files that have been sent. */
export function dismissUploads(): void {
  uploads.value = uploads.value.filter(isRunning);
}

export function isRunning({ result, mistake }: Upload): boolean {
  return result === undefined && mistake === undefined;
}

async function send(id: number, file: File): Promise<void> {
  try {
    const result = await uploadFile<UploadResult>(file, (share) => change(id, { share }));
    change(id, { result, share: 1 });
  } catch (error) {
    change(id, { mistake: (error as Error).message });
  }
}

function change(id: number, changed: Partial<Upload>): void {
  const at = uploads.value.findIndex((each) => each.id === id);
  uploads.value = uploads.value.with(at, { ...uploads.value[at]!, ...changed });
}
