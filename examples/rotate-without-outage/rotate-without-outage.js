// @ts-check
import { rename, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLatchkey, LatchkeyError } from '@latchkey/client';

const HOUR = 3_600_000;
const GRACE_HOURS = Number(process.env['GRACE_HOURS'] ?? 24);
const QUIET_HOURS = Number(process.env['QUIET_HOURS'] ?? 1);
const WATCH_SECONDS = Number(process.env['WATCH_SECONDS'] ?? 60);

// Reads LATCHKEY_URL and LATCHKEY_TOKEN. The token is sent to that URL only.
const lk = createLatchkey.fromEnvironment();

/**
 * Rotates the token, writes the new secret to `file` and returns the time of the rotation, in milliseconds since 1970.
 *
 * @param {string} id
 * @param {string} name
 * @param {string} file
 */
async function rotate(id, name, file) {
  const { data, headers } = await lk
    .rotateAccessToken({
      path: { token_id: id },
      body: { gracePeriodSeconds: GRACE_HOURS * 3_600 },
      // The key belongs to the rotation, not to this run, so that a second run gets the same secret.
      idempotencyKey: encodeURIComponent(`rotation ${name}`),
    })
    .withResponse();
  await writeFile(`${file}.new`, data.plaintext, { mode: 0o600 });
  await rename(`${file}.new`, file);
  const { tokenPrefix, previousSecret } = data.token;
  const end = previousSecret?.validUntil;
  console.log(`${previousSecret?.tokenPrefix} was replaced by ${tokenPrefix} in ${file} and is valid until ${end}`);
  return timeOf(headers);
}

/**
 * Waits until the earlier secret has not been used for QUIET_HOURS. Returns false if it was in use until it expired.
 *
 * @param {string} id
 * @param {number} since
 */
async function fallsOutOfUse(id, since) {
  for (let seen = since; ; await sleep(WATCH_SECONDS * 1_000)) {
    const { data, headers } = await lk.getAccessToken({ path: { token_id: id } }).withResponse();
    if (data.previousSecret === null) throw new Error('the token was never rotated');
    const { tokenPrefix, validUntil, lastUsedAt } = data.previousSecret;
    const used = Date.parse(lastUsedAt ?? '');
    if (used > seen) {
      seen = used;
      console.log(`${tokenPrefix} was last used ${lastUsedAt}`);
    }
    const now = timeOf(headers);
    const end = Date.parse(validUntil);
    if (Math.min(now, end) - seen >= QUIET_HOURS * HOUR) {
      console.log(`${tokenPrefix} has not been used for ${QUIET_HOURS} h: no program uses it any more`);
      return true;
    }
    if (now >= end) {
      console.error(`${tokenPrefix} was in use until it expired: the service now rejects and logs requests with it`);
      return false;
    }
  }
}

/**
 * The service's time, because `lastUsedAt` and `validUntil` are instants of its clock.
 *
 * @param {Headers} headers
 */
function timeOf(headers) {
  return Date.parse(headers.get('Date') ?? '') || Date.now();
}

const [id, name, file, ...rest] = process.argv.slice(2);
if (id === undefined || name === undefined || file === undefined || rest.length > 0) {
  console.error('usage: rotate-without-outage TOKEN_ID NAME FILE');
  process.exitCode = 2;
} else {
  try {
    const rotatedAt = await rotate(id, name, file);
    if (!(await fallsOutOfUse(id, rotatedAt))) process.exitCode = 1;
  } catch (error) {
    if (!(error instanceof LatchkeyError)) throw error;
    console.error(`${error.message} (request ${error.requestId ?? 'unknown'})`);
    process.exitCode = 1;
  }
}
