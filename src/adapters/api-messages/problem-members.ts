import * as z from "zod/mini";
import { once, text } from "./message.ts";

/** The members of every problem. Source: RFC 9457, problem details. */
export const problemMembers = once(() => ({
  type: text(),
  title: text(),
  status: z.int().check(z.minimum(400), z.maximum(599)),
  detail: text(),
  parameter: z.optional(text("The parameter that caused the problem.")),
}));
