/** Escapes markup and drops what XML 1.0 cannot hold at all. */
export function escapeMarkup(text: string): string {
  return Buffer.from(text)
    .toString()
    .replace(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
