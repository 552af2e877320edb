/** A file in the listing of the directory. */
export interface DiskFile {
  readonly name: string;
  readonly bytes: number;
}

/** A new file, which grows only at its end. */
export interface AppendFile {
  /**
   * Writes all pieces in order. If it rejects, any part of them may be in the file. The pieces must
   * not change until the promise is settled; they may be views of shared memory.
   */
  append(pieces: readonly Uint8Array[]): Promise<void>;
  /**
   * Resolves when everything appended so far is on stable storage. After a rejection, the data
   * appended since the last success is in an unknown state, and a later success proves nothing.
   */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** One flat directory of files, owned by one process. */
export interface Disk {
  list(): Promise<DiskFile[]>;
  /**
   * Creates a file. Rejects if the name is taken. The name survives a power cut after
   * `syncDirectory`.
   */
  create(name: string): Promise<AppendFile>;
  /**
   * Fills `into` from an offset, up to the end of the file; resolves to the number of bytes read.
   */
  read(name: string, offsetBytes: number, into: Uint8Array): Promise<number>;
  /** Writes the contents of an existing file to stable storage. */
  sync(name: string): Promise<void>;
  /** Removes a file. The removal survives a power cut after `syncDirectory`. */
  remove(name: string): Promise<void>;
  syncDirectory(): Promise<void>;
}

/**
 * Returns a 32-bit checksum of `bytes`. Given the checksum of the bytes before them, it returns the
 * checksum of both together, so a record may be in several pieces.
 */
export type Checksum = (bytes: Uint8Array, before: number) => number;
