/** Tags of the fields of an encoded `Span`: field number << 3 | wire type. */

export const TRACE_ID = 0x0a;
export const SPAN_ID = 0x12;
export const TRACE_STATE = 0x1a;
export const PARENT_SPAN_ID = 0x22;
export const NAME = 0x2a;
export const KIND = 0x30;
export const START_TIME = 0x39;
export const END_TIME = 0x41;
export const ATTRIBUTE = 0x4a;
// Often written out though they are zero, by the SDK for JavaScript for one.
export const DROPPED_ATTRIBUTES = 0x50;
export const DROPPED_EVENTS = 0x60;
export const DROPPED_LINKS = 0x70;
export const STATUS = 0x7a;
/** The only tag of two bytes. */
export const FLAGS = [0x85, 0x01] as const;
/** Within a `Status`. */
export const STATUS_CODE = 0x18;
