import stringWidth from 'string-width';

/** What turns the direction of writing or ends a line without being a control character: it deceives the eye. */
const DECEIVING = '\\u061C\\u200E\\u200F\\u2028-\\u202E\\u2066-\\u2069';
const UNSAFE = new RegExp(`[\\p{Cc}\\p{Cs}${DECEIVING}]`, 'gu');
/** What `JSON.stringify` leaves as it is. */
const UNSAFE_IN_JSON = new RegExp(`[\\u007F-\\u009F${DECEIVING}]`, 'g');

const ELLIPSIS = '…';
const graphemes = new Intl.Segmenter();

/** `text` on one line, with everything spelt out that could drive a terminal. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The same with its own lines kept. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visible).join('\n');
}

/** JSON for programs that is no danger on a terminal either; escaped as JSON has it, so that it says the same. */
export function toJson(value: unknown): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, null, 2).replace(UNSAFE_IN_JSON, escaped);
}

/** Columns that `text` takes on a terminal. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** `text` in `width` columns at most, between two characters as people see them. */
export function fitted(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  for (const { segment } of graphemes.segment(text)) {
    if (widthOf(kept + segment) > width - 1) break;
    kept += segment;
  }
  return kept + ELLIPSIS;
}
