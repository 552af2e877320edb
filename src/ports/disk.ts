/** A file as the directory lists it. */
export interface DiskFile {
  readonly name: string;
  readonly bytes: number;
}

/** A new file that only grows, at its end. */
export interface AppendFile {
  /**
   * Writes all pieces in order, or rejects; then any part of them may be in the file. The pieces
   * must stay as they are until the promise is settled; they may be views of shared memory.
   */
  append(pieces: readonly Uint8Array[]): Promise<void>;
  /**
   * Resolves when everything appended so far is on stable storage. After a rejection nothing is
   * known of what was appended since the last success, and a later success proves nothing.
   */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** One flat directory of files, owned by one process. */
export interface Disk {
  list(): Promise<DiskFile[]>;
  /** Rejects when the name is taken. The name survives a power cut after `syncDirectory`. */
  create(name: string): Promise<AppendFile>;
  /** Fills `into` from an offset, as far as the file reaches; resolves to the bytes read. */
  read(name: string, offsetBytes: number, into: Uint8Array): Promise<number>;
  /** Puts the content of an existing file on stable storage. */
  sync(name: string): Promise<void>;
  /** The removal survives a power cut after `syncDirectory`. */
  remove(name: string): Promise<void>;
  syncDirectory(): Promise<void>;
}

/**
 * Returns a 32-bit checksum of `bytes`. Given the checksum of what lies before, it returns that of
 * both together, so that a record need not be in one piece.
 */
export type Checksum = (bytes: Uint8Array, before: number) => number;
