/** Tags of the fields of an encoded `KeyValue` and its `AnyValue`. */

export const KEY = 0x0a;
export const VALUE = 0x12;
export const STRING = 0x0a;
export const BOOL = 0x10;
export const INT = 0x18;
export const DOUBLE = 0x21;
