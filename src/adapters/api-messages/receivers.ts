import * as z from "zod/mini";
import { count, described, message, text } from "./message.ts";

/** Describes the answers about sending spans, like `messages.ts`, which lists them. */

export const receiver = message(
  "Receiver",
  () =>
    z.object({
      host: text("The host as configured, or `unix:/PATH`."),
      port: z.optional(count("Absent for a Unix socket.")),
      tls: z.boolean(),
      client_certificate: described(z.boolean(), "Whether clients need a certificate."),
      token: described(z.boolean(), "Whether requests need a token."),
    }),
  "A listener that receives spans.",
);

export const receivers = message("Receivers", () =>
  z.object({
    grpc: described(z.optional(receiver()), "Absent if it does not listen."),
    http: described(z.optional(receiver()), "Absent if it does not listen."),
  }),
);
