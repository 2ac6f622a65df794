// @ts-check
import { rename, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLatchkey, LatchkeyError } from '@latchkey/client';

const HOUR = 3_600_000;
const GRACE_HOURS = Number(process.env['GRACE_HOURS'] ?? 24);
const QUIET_HOURS = Number(process.env['QUIET_HOURS'] ?? 1);
const WATCH_SECONDS = Number(process.env['WATCH_SECONDS'] ?? 60);

// LATCHKEY_URL and LATCHKEY_TOKEN, which goes there and nowhere else.
const lk = createLatchkey.fromEnvironment();

/**
 * Gives the token another secret, puts it into `file` and returns the instant of that.
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
      // Of the rotation and not of this run: whoever runs this again gets the same secret.
      idempotencyKey: encodeURIComponent(`rotation ${name}`),
    })
    .withResponse();
  await writeFile(`${file}.new`, data.plaintext, { mode: 0o600 });
  await rename(`${file}.new`, file);
  const { tokenPrefix, previousSecret } = data.token;
  const end = previousSecret?.validUntil;
  console.log(`${previousSecret?.tokenPrefix} has a successor, ${tokenPrefix} in ${file}, and serves until ${end}`);
  return timeOf(headers);
}

/**
 * Whether the earlier secret falls out of use before it ends.
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
      console.log(`${tokenPrefix} has not been used for ${QUIET_HOURS} h: nothing depends on it any more`);
      return true;
    }
    if (now >= end) {
      console.error(`${tokenPrefix} was in use until it ended: whoever sends it is refused now, and logged`);
      return false;
    }
  }
}

/**
 * The service's own time, by which it says when a secret was used and when it ends.
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
