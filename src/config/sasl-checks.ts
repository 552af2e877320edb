import type { ForwardEndpoint } from "./endpoint.ts";
import type { ConfigWarning, Mistake, Settings, VariableName } from "./variables.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";

const MECHANISM = "FORWARD_SASL_MECHANISM";
const USERNAME = "FORWARD_SASL_USERNAME_FILE";
const PASSWORD = "FORWARD_SASL_PASSWORD_FILE";
const TOKEN = "FORWARD_SASL_TOKEN_FILE";

/** The variables of the authentication to Kafka. */
export const SASL_VARIABLES = [
  MECHANISM,
  USERNAME,
  PASSWORD,
  TOKEN,
] as const satisfies VariableName[];

/** The files that each mechanism needs; it has no use for the others. */
const FILES: Readonly<Record<Settings[typeof MECHANISM], readonly VariableName[]>> = {
  "": [],
  PLAIN: [USERNAME, PASSWORD],
  "SCRAM-SHA-256": [USERNAME, PASSWORD],
  "SCRAM-SHA-512": [USERNAME, PASSWORD],
  OAUTHBEARER: [TOKEN],
};

/** Returns the mistakes between the endpoint, the mechanism and the files of the credentials. */
export function saslMistakes(settings: Settings, { protocol }: ForwardEndpoint): Mistake[] {
  const given = SASL_VARIABLES.filter((variable) => settings[variable] !== "");
  if (protocol !== "kafka")
    return mistakes(settings, given, `unset for an endpoint of ${protocol}`);
  const mechanism = settings[MECHANISM];
  if (mechanism === "") return mistakes(settings, given, `unset, because ${MECHANISM} is unset`);
  const needed = FILES[mechanism];
  const missing = needed.filter((variable) => settings[variable] === "");
  const useless = given.filter((each) => each !== MECHANISM && !needed.includes(each));
  return [
    ...mistakes(settings, missing, `set, because ${MECHANISM} is ${mechanism}`),
    ...mistakes(settings, useless, `unset, because ${MECHANISM} is ${mechanism}`),
  ];
}

function mistakes(
  settings: Settings,
  variables: readonly VariableName[],
  bound: string,
): Mistake[] {
  return variables.map((variable) => {
    return { variable, value: quotePeerText(String(settings[variable])), bound };
  });
}

/** Returns a warning about credentials that everyone on the way can read. */
export function saslWarnings(settings: Settings, endpoint: ForwardEndpoint): ConfigWarning[] {
  if (endpoint.protocol !== "kafka" || endpoint.isSecure) return [];
  const mechanism = settings[MECHANISM];
  if (mechanism !== "PLAIN" && mechanism !== "OAUTHBEARER") return [];
  const message = `${mechanism} sends the credentials without encryption: use kafkas://, or SCRAM`;
  return [{ variable: MECHANISM, message }];
}
