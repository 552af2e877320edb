/**
 * Returns a 32-bit checksum of `bytes`. Given the checksum of what lies before, it returns that of
 * both together, so that a record need not be in one piece.
 */
export type Checksum = (bytes: Uint8Array, before: number) => number;
