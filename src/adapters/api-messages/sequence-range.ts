import * as z from "zod/mini";
import { count, message, text } from "./message.ts";

export const sequenceRange = message(
  "SequenceRange",
  () => z.object({ run_id: text(), first: count(), next: count() }),
  "The spans covered: those of this run with first <= sequence < next. With `DATA_DIR`, older " +
    "ones may be on disk only.",
);
