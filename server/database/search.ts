// Search in any letter case works alike on all engines. The engines' `upper` differ beyond ASCII. So a row with other
// characters stores its texts in upper case, as made here, and the engine converts only ASCII.

/** Separates the folded texts of a row. No text contains it, because it is a control character. */
export const SEARCH_SEPARATOR = '\u001F';

/** The text in upper case, in which texts are compared. The case of a character does not depend on its neighbours. */
export function folded(text: string): string {
  return text.toUpperCase();
}

/** The value of a row's search column: the folded texts in their order; null if all texts are ASCII. */
export function searchColumn(...texts: (string | null)[]): string | null {
  const present = texts.map((text) => text ?? '');
  return present.every(isAscii) ? null : present.map(folded).join(SEARCH_SEPARATOR);
}

/** The value of the search column of a user. An external owner is found by its external id too. */
export function searchTextOf({
  kind,
  fullName,
  email,
  externalId,
}: {
  kind: string;
  fullName: string;
  email: string | null;
  externalId: string | null;
}): string | null {
  return kind === 'external' ? searchColumn(fullName, email, externalId) : searchColumn(fullName, email);
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
