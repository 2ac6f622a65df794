const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHECKSUM_LENGTH = 6;

// A brand, what serves as a credential, 30 random characters and their checksum.
const FORM = /^[a-z][a-z0-9]{0,15}_(?:pat|ses)_[0-9A-Za-z]{36}$/;

/**
 * Whether `text` can be a token of a service of whatever brand, by its form and checksum. Typing errors and the secrets
 * of others stay here: no service needs to see them.
 */
export function isToken(text: string): boolean {
  return FORM.test(text) && text.endsWith(checksum(text.slice(0, -CHECKSUM_LENGTH)));
}

/** The CRC32 of `text`, which is ASCII, in base62. Bit by bit, since `node:zlib` is not everywhere. */
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
