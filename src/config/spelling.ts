import { type ConfigWarning, type VariableName, VARIABLE_NAMES, VARIABLES } from "./variables.ts";
import { nearestWord } from "../domain/text/nearest-word.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";

/** Short names have honest neighbours: `APP_PORT` is somebody else's, not a slip in `API_PORT`. */
const MIN_LENGTH = 12;

/** Letters in a row that may be missing, added or changed; two that changed places count as two. */
const MAX_SLIPS = 2;

/** Names in the environment that are nearly ours. Values are not shown: they may be secret. */
export function misspelledNames(names: readonly string[]): ConfigWarning[] {
  return names.flatMap((name) => {
    const nearest = nearestName(name);
    if (nearest === undefined) return [];
    return [{ variable: quotePeerText(name), message: `unknown: did you mean ${nearest}?` }];
  });
}

/**
 * Asked of every name in the environment before the first request can be received, so nearly all
 * are sent away at once: the bet is that a slip is not in the first three letters.
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

/** Finds a slip, a name without its last word, such as the unit, and one with another unit. */
function nearlyWritten(name: string): VariableName | undefined {
  const slip = VARIABLE_NAMES.filter((ours) => ours.length >= MIN_LENGTH)
    .filter((ours) => Math.abs(ours.length - name.length) <= MAX_SLIPS)
    .find((ours) => isSlipOf(ours, name));
  if (slip !== undefined) return slip;
  const inMs = `${name.replace(/_(S|SECS?|SECONDS?|MILLIS|MINUTES?)$/, "")}_MS`;
  if (isOurs(inMs)) return inMs;
  const [longer, ...others] = VARIABLE_NAMES.filter((ours) => ours.startsWith(`${name}_`));
  return others.length === 0 ? longer : undefined;
}

/** What two names begin and end with alike is set aside; little may be left between. */
function isSlipOf(ours: string, name: string): boolean {
  const shorter = Math.min(ours.length, name.length);
  let alike = 0;
  while (alike < shorter && ours[alike] === name[alike]) alike += 1;
  let atEnd = 0;
  while (atEnd < shorter - alike && ours.at(-1 - atEnd) === name.at(-1 - atEnd)) atEnd += 1;
  return Math.max(ours.length, name.length) - alike - atEnd <= MAX_SLIPS;
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

/** Returns the name that was meant in a family of names that only this program uses. */
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

/** As in `API_PORT=tcp://10.96.0.7:80`. */
const LINK = /^(tcp|udp|sctp):\/\/\S+:\d{1,5}$/;

/** The others that each Service gives: `API_SERVICE_HOST`, `API_PORT_80_TCP_ADDR` and so on. */
const LINK_NAME = /_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP))(_|$)/;

/** The variables of ours that a Service of Kubernetes can give another meaning. */
const PORTS = ["OTLP_GRPC_PORT", "OTLP_HTTP_PORT", "API_PORT"] as const;

/**
 * Returns the environment without what Kubernetes puts into every pod of a namespace for each of
 * its Services, and warnings for those whose names are ours. Source: Kubernetes, "Service",
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
