/** Escapes text for HTML and XML. Replaces characters that XML 1.0 does not allow by U+FFFD. */
export function escapeMarkup(text: string): string {
  return Buffer.from(text)
    .toString()
    .replace(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
