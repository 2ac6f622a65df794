import stringWidth from 'string-width';

/** Characters other than control characters that change the direction of writing or end a line. */
const DECEIVING = '\\u061C\\u200E\\u200F\\u2028-\\u202E\\u2066-\\u2069';
const UNSAFE = new RegExp(`[\\p{Cc}\\p{Cs}${DECEIVING}]`, 'gu');
/** Unsafe characters that `JSON.stringify` does not escape. */
const UNSAFE_IN_JSON = new RegExp(`[\\u007F-\\u009F${DECEIVING}]`, 'g');

const ELLIPSIS = '…';
const graphemes = new Intl.Segmenter();

/** Escapes line ends and all characters that could control a terminal. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Escapes all characters that could control a terminal, but keeps line ends. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Formats JSON in which characters that could control a terminal are escaped; parsing it gives the same value. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(UNSAFE_IN_JSON, escaped);
}

/** Formats JSON as `toJson` does, but on one line. */
export function toJsonLine(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE_IN_JSON, escaped);
}

/** Columns that `text` takes on a terminal. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** Shortens `text` to at most `width` columns, without splitting a visible character. */
export function fitted(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  for (const { segment } of graphemes.segment(text)) {
    if (widthOf(kept + segment) > width - 1) break;
    kept += segment;
  }
  return kept + ELLIPSIS;
}
