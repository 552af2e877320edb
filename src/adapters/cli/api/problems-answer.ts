import * as z from "zod/mini";

/** The answer of `GET /api/problems`, with listeners and reasons of a later version too. */
const PROBLEMS_ANSWER = z.object({
  problems: z.array(
    z.object({
      protocol: z.string(),
      reason: z.string(),
      address: z.optional(z.string()),
      count: z.number(),
      last: z.string().check(z.refine((text) => !Number.isNaN(Date.parse(text)))),
      detail: z.optional(z.string()),
      hint: z.string(),
    }),
  ),
});

type ProblemsAnswer = z.output<typeof PROBLEMS_ANSWER>;

export type ListedProblem = ProblemsAnswer["problems"][number];

export function isProblemsAnswer(answer: unknown): answer is ProblemsAnswer {
  return PROBLEMS_ANSWER.safeParse(answer).success;
}
