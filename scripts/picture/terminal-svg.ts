/** The size of a character of 14 pixels in the fonts of terminals. */
const COLUMN_PIXELS = 8.4;
const LINE_PIXELS = 20;
const MARGIN_PIXELS = 16;

const BACKGROUND = "#0d1117";
const FOREGROUND = "#e6edf3";

/** The colours of a terminal on a dark background, by their codes. Source: ECMA-48, SGR. */
const COLOURS: Readonly<Record<number, string>> = {
  31: "#ff7b72",
  32: "#7ee787",
  33: "#e3b341",
  34: "#79c0ff",
  35: "#d2a8ff",
  36: "#76e3ea",
};

const FAINT = 'opacity="0.6"';
const BOLD = 'font-weight="bold"';

export interface PictureOptions {
  readonly columns: number;
  /** Describes the picture to a person who cannot see it. */
  readonly title: string;
}

/** Returns text with escape sequences as a picture of a terminal. */
export function terminalSvg(text: string, { columns, title }: PictureOptions): string {
  const lines = text.split("\n");
  const width = Math.ceil(columns * COLUMN_PIXELS + 2 * MARGIN_PIXELS);
  const height = lines.length * LINE_PIXELS + 2 * MARGIN_PIXELS;
  const font = 'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14"';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
    `<g ${font} fill="${FOREGROUND}">`,
    ...lines.flatMap(lineTexts),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

/** Returns the words of a line, each at its column, so that no font can shift them. */
function lineTexts(line: string, index: number): string[] {
  const y = MARGIN_PIXELS + (index + 0.75) * LINE_PIXELS;
  let begin = 0;
  return styledPieces(line).flatMap(({ text, style }) => {
    const column = begin;
    begin += text.length;
    return [...text.matchAll(WORDS)].map(({ 0: words, index: offset }) => {
      const x = (MARGIN_PIXELS + (column + offset) * COLUMN_PIXELS).toFixed(1);
      const size = `textLength="${(words.length * COLUMN_PIXELS).toFixed(1)}"`;
      return `<text x="${x}" y="${y}" ${size}${style}>${escaped(words)}</text>`;
    });
  });
}

/** Words with single spaces in between: viewers collapse others. */
const WORDS = /\S+(?: \S+)*/g;

interface StyledPiece {
  readonly text: string;
  readonly style: string;
}

function styledPieces(line: string): StyledPiece[] {
  // oxlint-disable-next-line no-control-regex -- these are escape sequences
  const [first = "", ...styled] = line.split(/\u001b\[(\d+)m/);
  const pieces = [{ text: first, style: "" }];
  for (let at = 0; at < styled.length; at += 2) {
    pieces.push({ text: styled[at + 1] ?? "", style: styleOf(Number(styled[at])) });
  }
  return pieces;
}

function styleOf(code: number): string {
  if (code === 1) return ` ${BOLD}`;
  if (code === 2) return ` ${FAINT}`;
  const colour = COLOURS[code];
  return colour === undefined ? "" : ` fill="${colour}"`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
