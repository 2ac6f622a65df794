// @ts-check
import { request } from 'node:http';
import { quantile } from './closed-loop.mjs';
import { fromRoot, start } from './process.mjs';

// Whether the time of the answer to a report of a leak tells what was in the report: 500 reports each of a valid token, an unknown
// one and a revoked one, in random order, each answered before the next is sent.
//
//   npm run build && npm run bench:leaks [-- <database>]

const REPORTS = 500;
/** A |z| of more than this would be a difference that chance makes once in a hundred times. */
const NOTABLE = 2.58;
const ADMIN = { username: 'admin@latchkey.local', password: 'only for this benchmark' };
const [database = ':memory:'] = process.argv.slice(2);

const server = await start({
  name: 'Latchkey',
  argv: [fromRoot('dist/cli/main.js'), 'serve', '--port', '0', '--database', database],
  env: { LATCHKEY_ADMIN_PASSWORD: ADMIN.password, LATCHKEY_TRUST_PROXY: '1' },
});
const { access_token: session } = await post('/api/v1/auth/login/', ADMIN);

/** @type {Record<string, string[]>} */
const texts = { valid: [], unknown: [], revoked: [] };
for (let index = 0; index < REPORTS; index++) {
  texts['valid']?.push((await created()).plaintext);
  const revoked = await created();
  await post('/api/v1/access-tokens/revoke', { ids: [revoked.token.id] }, session);
  texts['revoked']?.push(revoked.plaintext);
  texts['unknown']?.push(revoked.plaintext.replace(/.{6}$/, String(100_000 + index)));
}
const order = Object.entries(texts).flatMap(([kind, list]) => list.map((text) => ({ kind, text, key: Math.random() })));
order.sort((a, b) => a.key - b.key);

/** @type {Record<string, number[]>} */
const times = { valid: [], unknown: [], revoked: [] };
const answers = new Set();
for (const [index, { kind, text }] of order.entries()) {
  // Each address may send 60 reports an hour.
  const address = `198.51.${String(100 + Math.floor(index / 50))}.7`;
  const begin = performance.now();
  answers.add(JSON.stringify(await post('/api/v1/credentials/revoke', { credentials: [text] }, undefined, address)));
  times[kind]?.push(performance.now() - begin);
}

console.log(`${database}: ${String(REPORTS)} reports of each kind, ${String(answers.size)} different answer\n`);
for (const [kind, list] of Object.entries(times)) {
  const [median, late] = [0.5, 0.95].map((share) => quantile(list, share).toFixed(3));
  console.log(`${kind.padEnd(8)} median ${median} ms, p95 ${late} ms`);
}
let isTold = answers.size !== 1;
for (const [one, other] of [
  ['valid', 'unknown'],
  ['valid', 'revoked'],
  ['unknown', 'revoked'],
]) {
  const z = rankSum(times[one ?? ''] ?? [], times[other ?? ''] ?? []);
  if (Math.abs(z) > NOTABLE) isTold = true;
  console.log(`rank sum of ${one} and ${other}: z = ${z.toFixed(2)}`);
}
console.log(`\n${isTold ? 'The kinds can be told apart.' : 'The kinds cannot be told apart (|z| <= 2.58).'}`);
process.exitCode = isTold ? 1 : 0;
await server.stop();

/**
 * The normal deviate of the Mann-Whitney rank sum: about 0 if both lists come from one distribution.
 * @param {number[]} one
 * @param {number[]} other
 */
function rankSum(one, other) {
  const all = [...one.map((time) => ({ time, isOne: true })), ...other.map((time) => ({ time, isOne: false }))];
  all.sort((a, b) => a.time - b.time);
  const sum = all.reduce((total, { isOne }, index) => total + (isOne ? index + 1 : 0), 0);
  const [n, m] = [one.length, other.length];
  const mean = (n * (n + m + 1)) / 2;
  return (sum - mean) / Math.sqrt((n * m * (n + m + 1)) / 12);
}

async function created() {
  return await post('/api/v1/access-tokens', { name: 'a' }, session);
}

/**
 * @param {string} path
 * @param {object} body
 * @param {string} [token]
 * @param {string} [address]
 * @returns {Promise<any>}
 */
function post(path, body, token, address) {
  const headers = {
    'Content-Type': 'application/json',
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    ...(address !== undefined && { 'X-Forwarded-For': address }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(server.url + path, { method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => {
        if ((response.statusCode ?? 500) >= 300) reject(new Error(`${String(response.statusCode)} ${text}`));
        else resolve(JSON.parse(text));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(body));
  });
}
