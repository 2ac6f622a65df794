import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto';

// A sealed text is: a version (1 byte), the start of the key's digest (4), a nonce (12), an authentication tag (16), and the
// encrypted text.

const VERSION = 1;
const KEY_ID_LENGTH = 4;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** The digest of a key, which tells it from other keys and does not reveal it. */
export function digestOfKey(key: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from('latchkey secret key 1\0'), key]), 'buffer');
}

/** Encrypts `text` by AES-256-GCM. `context` says what the text belongs to; `unseal` needs the same. */
export function seal(key: Uint8Array, text: string, context: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_LENGTH);
  const head = Buffer.concat([Buffer.from([VERSION]), digestOfKey(key).subarray(0, KEY_ID_LENGTH), nonce]);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.concat([head, context]));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([head, cipher.getAuthTag(), sealed]);
}

/** Decrypts what `seal` returned; undefined if it was sealed with another key or for another context, or was changed. */
export function unseal(key: Uint8Array, sealed: Uint8Array, context: Uint8Array): string | undefined {
  const bytes = Buffer.from(sealed);
  const headLength = 1 + KEY_ID_LENGTH + NONCE_LENGTH;
  const head = bytes.subarray(0, headLength);
  const isOurs = head[0] === VERSION && head.subarray(1, 1 + KEY_ID_LENGTH).equals(digestOfKey(key).subarray(0, 4));
  if (!isOurs || bytes.length <= headLength + TAG_LENGTH) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, head.subarray(1 + KEY_ID_LENGTH), { authTagLength: TAG_LENGTH })
    .setAAD(Buffer.concat([head, context]))
    .setAuthTag(bytes.subarray(headLength, headLength + TAG_LENGTH));
  const start = decipher.update(bytes.subarray(headLength + TAG_LENGTH));
  try {
    return Buffer.concat([start, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
