export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: Sample[];
}

const HELP = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/;
const TYPE = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)$/;
/** A label. In its value, `\`, `"` and line feeds are escaped. */
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/y;
const HISTOGRAM_SERIES = ["_bucket", "_sum", "_count"];

/**
 * Parses a page like Prometheus, but more strictly: each family has one HELP and then one TYPE,
 * followed directly by its samples, and no series occurs twice. Throws at the first violation.
 * Source: Prometheus, "Exposition formats", text format 0.0.4.
 */
export function parsePrometheusText(text: string): Family[] {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, Family>();
  const series = new Set<string>();
  const lines = text.split("\n").filter((line) => line !== "");
  for (let at = 0; at < lines.length;) {
    const family = familyAt(lines, at);
    if (families.has(family.name)) throw new Error(`told of twice: ${family.name}`);
    families.set(family.name, family);
    for (at += 2; at < lines.length && !lines[at]!.startsWith("#"); at += 1) {
      family.samples.push(sampleOf(family, lines[at]!, series));
    }
  }
  return [...families.values()];
}

function familyAt(lines: readonly string[], at: number): Family {
  const [, name, help] = HELP.exec(lines[at]!) ?? [];
  const [, typed, type] = TYPE.exec(lines[at + 1] ?? "") ?? [];
  if (name === undefined || name !== typed) throw new Error(`no HELP and TYPE: ${lines[at]}`);
  return { name, help: help!, type: type!, samples: [] };
}

function sampleOf({ name: own, type }: Family, line: string, series: Set<string>): Sample {
  const [, name, labelText = "", value] = SAMPLE.exec(line) ?? [];
  const names = type === "histogram" ? HISTOGRAM_SERIES.map((end) => own + end) : [own];
  if (name === undefined || !names.includes(name)) throw new Error(`not of ${own}: ${line}`);
  const labels = labelsOf(labelText, line);
  const key = JSON.stringify([name, Object.entries(labels).toSorted()]);
  if (series.has(key)) throw new Error(`comes twice: ${line}`);
  series.add(key);
  return { name, labels, value: Number(value) };
}

function labelsOf(text: string, line: string): Sample["labels"] {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  for (let at = 0; at < text.length; at = LABEL.lastIndex) {
    const [, name, escaped] = LABEL.exec(text) ?? [];
    if (name === undefined || name in labels) throw new Error(`not labels: ${line}`);
    labels[name] = escaped!.replace(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter));
  }
  return labels;
}
