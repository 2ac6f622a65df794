// @ts-check
import { copyOf } from './databases.mjs';
import { ask, toWire } from './load.mjs';
import { OPERATIONS, REVOKE } from './operations.mjs';
import { ALL } from './options.mjs';
import { start } from './process.mjs';

// Checks that the comparison is fair: contenders on copies of one database must give the same answers.

/**
 * @typedef {import('./contenders.mjs').Contender} Contender
 * @typedef {import('./databases.mjs').RealToken} RealToken
 * @typedef {Record<string, { status: number, headers: string, body: string }>} Answers by operation
 */

/** Members whose values differ between processes or moments. */
const FLEETING = ['lastUsedAt', 'nextCursor', 'plaintext'];
/** Headers whose values must be equal. */
const FIXED = ['x-content-type-options', 'cache-control', 'content-type', 'latchkey-token-expires-at'];

/**
 * The differences between the contenders' answers and those of `model`, one line each.
 *
 * @param {Contender} model
 * @param {Contender[]} others
 * @param {import('./databases.mjs').Database} database
 * @param {string} folder
 */
export async function findDifferences(model, others, database, folder) {
  const expected = await answersOf(model, database, folder);
  const differences = [];
  for (const contender of others) {
    const answers = await answersOf(contender, database, folder);
    for (const [operation, answer] of Object.entries(answers)) {
      for (const part of /** @type {const} */ (['status', 'headers', 'body'])) {
        const [theirs, ours] = [answer[part], expected[operation]?.[part]];
        if (theirs === ours) continue;
        differences.push(`${contender.name}: ${operation}: ${part}: ${theirs}\n  instead of ${ours}`);
      }
    }
  }
  return differences;
}

/** @param {Contender} contender @param {import('./databases.mjs').Database} database @param {string} folder */
async function answersOf({ name, argv, engine, operations = ALL }, database, folder) {
  const copy = engine === undefined ? copyOf(database, folder, name) : await engine.copy(name);
  const server = await start({ name, argv: argv(copy) });
  try {
    /** @type {Answers} */
    const answers = {};
    const maker = /** @type {RealToken} */ (database.real[1]);
    let created = maker;
    let madePlaintext = '';
    for (const { name: operation, status, request, prepare } of OPERATIONS) {
      if (!operations.includes(operation)) continue;
      const tokens = prepare === undefined ? database.real : await prepare(server.url, database.real);
      const answer = await ask(server.url, request(tokens, 1) ?? '');
      // Existing rows must be equal to the byte; a created one must have the same shape.
      const toComparable = status === 201 ? formOf : (/** @type {unknown} */ value) => value;
      const body = parsed(answer.body);
      answers[operation] = comparable(
        answer,
        JSON.stringify(masked(body), (_, value) => toComparable(value)),
      );
      if (status !== 201 || body?.token === undefined) continue;
      created = { ...maker, id: body.token.id };
      madePlaintext = body.plaintext;
    }
    if (!operations.includes(REVOKE.name)) return answers;
    const revoke = REVOKE.request([created], 0) ?? '';
    answers[REVOKE.name] = comparable(await ask(server.url, revoke));
    answers['me, by a revoked token'] = comparable(
      await ask(server.url, toWire({ method: 'GET', path: '/api/v1/auth/me', token: madePlaintext })),
    );
    return answers;
  } finally {
    await server.stop();
    await engine?.remove(copy);
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {any} value @returns {any} */
function masked(value) {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, FLEETING.includes(name) ? 'masked' : masked(member)]),
  );
}

/** The value with types instead of values. @param {unknown} value */
function formOf(value) {
  return typeof value === 'object' ? value : typeof value;
}

/** @param {{ status: number, headers: Record<string, string>, body: string }} answer @param {string} [body] */
function comparable({ status, headers, body: text }, body = text) {
  const lines = Object.keys(headers).map((name) => (FIXED.includes(name) ? `${name}: ${headers[name]}` : name));
  return { status, headers: lines.toSorted().join('\n'), body };
}
