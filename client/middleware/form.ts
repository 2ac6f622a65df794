const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHECKSUM_LENGTH = 6;

// A token is a brand, its kind, 30 random characters and a checksum of 6.
const FORM = /^[a-z][a-z0-9]{0,15}_(?:pat|ses)_[0-9A-Za-z]{36}$/;

/**
 * Whether `text` has the form and checksum of a token, of any brand. Other texts, such as typing errors and secrets of
 * other systems, need not be sent to the service.
 */
export function isToken(text: string): boolean {
  return FORM.test(text) && text.endsWith(checksum(text.slice(0, -CHECKSUM_LENGTH)));
}

/** CRC32 of `text` (ASCII) in base62. Computed here because `node:zlib` exists in Node only. */
function checksum(text: string): string {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index++) {
    crc ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  let rest = ~crc >>> 0;
  let digits = '';
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    digits = DIGITS.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
