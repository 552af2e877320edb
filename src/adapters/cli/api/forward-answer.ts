import * as z from "zod/mini";

const counts = z.record(z.string(), z.number());

/** The member `forward` of `GET /api/stats`, with reasons and states of a later version too. */
const FORWARD_ANSWER = z.object({
  endpoint: z.string(),
  state: z.string(),
  retry_in_ms: z.optional(z.number()),
  last_error: z.optional(
    z.object({
      message: z.string(),
      hint: z.optional(z.string()),
      time: z.string().check(z.refine((text) => !Number.isNaN(Date.parse(text)))),
    }),
  ),
  spans_per_second: z.number(),
  lag_seconds: z.number(),
  in_flight: z.object({ batches: z.number(), spans: z.number() }),
  retried_spans: z.number(),
  undeliverable: counts,
  batches: counts,
});

export type ForwardAnswer = z.output<typeof FORWARD_ANSWER>;

export function isForwardAnswer(member: unknown): member is ForwardAnswer {
  return FORWARD_ANSWER.safeParse(member).success;
}
