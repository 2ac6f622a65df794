// Case-blind search is the same on every engine: what an engine's own `upper` may not know is folded here, once, as it is
// written. The engine folds ASCII alone, which all of them can.

/** Between the folded texts of a row. It is a control character, so that none of the texts contains it. */
export const SEARCH_SEPARATOR = '\u001F';

/** A text in the one letter case in which texts are compared. Each character is folded for itself, whatever is beside it. */
export function folded(text: string): string {
  return text.toUpperCase();
}

/** What a row keeps to find these texts by: each folded, in their order; null where all are ASCII, which `upper` folds alike. */
export function searchColumn(...texts: (string | null)[]): string | null {
  const present = texts.map((text) => text ?? '');
  return present.every(isAscii) ? null : present.map(folded).join(SEARCH_SEPARATOR);
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
