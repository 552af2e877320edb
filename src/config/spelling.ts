import { type ConfigWarning, type VariableName, VARIABLE_NAMES, VARIABLES } from "./variables.ts";
import { nearestWord } from "../domain/text/nearest-word.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";

/**
 * Shorter names resemble those of other programs; for example, `APP_PORT` is not a typo of
 * `API_PORT`.
 */
const MIN_LENGTH = 12;

/**
 * Maximum number of adjacent letters that are missing, added or changed; swapped letters count as
 * two.
 */
const MAX_TYPOS = 2;

/**
 * Returns warnings about names that resemble ours. They do not contain values, which may be secret.
 */
export function misspelledNames(names: readonly string[]): ConfigWarning[] {
  return names.flatMap((name) => {
    const nearest = nearestName(name);
    if (nearest === undefined) return [];
    return [{ variable: quotePeerText(name), message: `unknown: did you mean ${nearest}?` }];
  });
}

/**
 * The beginnings of our names, for a fast test that excludes nearly all names of an environment,
 * because a slow one would delay the start. It assumes that the first three letters have no typo.
 */
const BEGINNINGS: ReadonlySet<string> = new Set([...VARIABLE_NAMES.map(beginning), "SPA"]);

function beginning(name: string): string {
  return name.slice(0, 3).toUpperCase();
}

function nearestName(written: string): VariableName | undefined {
  if (!BEGINNINGS.has(beginning(written)) || isOurs(written)) return undefined;
  const name = written.toUpperCase();
  const bare = name.replace(/^SPANRING_/, "");
  if (bare !== name && isOurs(bare)) return bare;
  return (name.length < MIN_LENGTH ? undefined : nearlyWritten(name)) ?? sameInOtherWords(name);
}

function isOurs(name: string): name is VariableName {
  return VARIABLE_NAMES.some((ours) => ours === name);
}

/** Finds typos, names that lack their last word, such as the unit, and names with another unit. */
function nearlyWritten(name: string): VariableName | undefined {
  const typo = VARIABLE_NAMES.filter((ours) => ours.length >= MIN_LENGTH)
    .filter((ours) => Math.abs(ours.length - name.length) <= MAX_TYPOS)
    .find((ours) => isTypoOf(ours, name));
  if (typo !== undefined) return typo;
  const inMs = `${name.replace(/_(S|SECS?|SECONDS?|MILLIS|MINUTES?)$/, "")}_MS`;
  if (isOurs(inMs)) return inMs;
  const [longer, ...others] = VARIABLE_NAMES.filter((ours) => ours.startsWith(`${name}_`));
  return others.length === 0 ? longer : undefined;
}

/**
 * Reports whether a name is a typo of ours. It ignores their common beginning and end; only few
 * letters may remain between.
 */
function isTypoOf(ours: string, name: string): boolean {
  const shorter = Math.min(ours.length, name.length);
  let alike = 0;
  while (alike < shorter && ours[alike] === name[alike]) alike += 1;
  let atEnd = 0;
  while (atEnd < shorter - alike && ours.at(-1 - atEnd) === name.at(-1 - atEnd)) atEnd += 1;
  return Math.max(ours.length, name.length) - alike - atEnd <= MAX_TYPOS;
}

const FAMILIES = [
  {
    prefix: "FORWARD_",
    usual: "FORWARD_ENDPOINT",
    words: /^(UR[IL]|HOST|PORT|ADDR(ESS)?|TO|TARGET|DESTINATION|UPSTREAM|SERVER|FILE|PATH)$/,
  },
  { prefix: "OTLP_GRPC_", usual: "OTLP_GRPC_HOST", words: /^(ADDR(ESS)?|ENDPOINT|LISTEN|BIND)$/ },
  { prefix: "OTLP_HTTP_", usual: "OTLP_HTTP_HOST", words: /^(ADDR(ESS)?|ENDPOINT|LISTEN|BIND)$/ },
] as const;

/** Suggests a name from a family of names that only this program uses. */
function sameInOtherWords(name: string): VariableName | undefined {
  const family = FAMILIES.find(({ prefix }) => name.startsWith(prefix));
  if (family === undefined) return undefined;
  const { prefix, usual, words } = family;
  const rest = name.slice(prefix.length);
  if (words.test(rest)) return usual;
  const ours = VARIABLE_NAMES.filter((each) => each.startsWith(prefix));
  const nearest = nearestWord(
    rest,
    ours.map((each) => each.slice(prefix.length)),
  );
  return ours.find((each) => each === prefix + nearest);
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Matches a value such as `tcp://10.96.0.7:80`. */
const LINK = /^(tcp|udp|sctp):\/\/\S+:\d{1,5}$/;

/** Matches other variables of a Service: `API_SERVICE_HOST`, `API_PORT_80_TCP_ADDR` and so on. */
const LINK_NAME = /_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP))(_|$)/;

/** Our variables that Kubernetes may set for a Service. */
const PORTS = ["OTLP_GRPC_PORT", "OTLP_HTTP_PORT", "API_PORT"] as const;

/**
 * Returns the environment without the variables that Kubernetes sets in a pod for the Services of
 * its namespace, and warnings for those that have our names. Source: Kubernetes, "Service",
 * environment variables.
 */
export function withoutServiceLinks(env: Variables): {
  readonly env: Variables;
  readonly warnings: ConfigWarning[];
} {
  const entries = Object.entries(env).filter((entry) => !isServiceLink(entry));
  return {
    env: Object.fromEntries(entries),
    warnings: PORTS.flatMap((name) => ignored(name, env)),
  };
}

function isServiceLink([name, value = ""]: [string, string | undefined]): boolean {
  return (name.endsWith("_PORT") && LINK.test(value)) || LINK_NAME.test(name);
}

function ignored(variable: (typeof PORTS)[number], env: Variables): ConfigWarning[] {
  const value = env[variable] ?? "";
  if (!LINK.test(value)) return [];
  const service = variable
    .replace(/_PORT$/, "")
    .replaceAll("_", "-")
    .toLowerCase();
  const cause = `Kubernetes sets ${quotePeerText(value)} for a Service named ${service}`;
  const remedy = `Set ${variable}, or enableServiceLinks: false in the pod`;
  const message = `ignored: ${cause}; the port is ${VARIABLES[variable].unset}. ${remedy}`;
  return [{ variable, message }];
}
