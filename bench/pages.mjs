// @ts-check
import { LATCHKEY, latchkey } from './contenders.mjs';
import { BIG_OWNER, copyOf } from './databases.mjs';
import { spread, table } from './figures.mjs';
import { ask, toWire } from './load.mjs';
import { start } from './process.mjs';

/** @typedef {Record<string, number[]>} Pages milliseconds, by kind of page */

const PATH = '/api/v1/auth/private_tokens/';
const PAGE_SIZE = 50;

/**
 * Measures the numbered pages of private tokens, which count and skip rows, for the owner of a tenth of all tokens.
 *
 * @param {import('./databases.mjs').Database} database
 * @param {number} rounds
 * @param {{ folder: string, core: string | undefined }} setting
 */
export async function measurePages(database, rounds, { folder, core }) {
  const server = await start({ name: LATCHKEY, argv: latchkey(copyOf(database, folder, 'pages')) }, core);
  try {
    const token = database.real.find(({ owner }) => owner === BIG_OWNER)?.plaintext ?? '';
    const get = async (/** @type {string} */ query) => {
      const path = `${PATH}?page_size=${PAGE_SIZE}${query}`;
      const { status, body } = await ask(server.url, toWire({ method: 'GET', path, token }));
      if (status !== 200) throw new Error(`GET ${path}: ${status} ${body}`);
      return JSON.parse(body);
    };
    const { count } = await get('');
    const queries = {
      [`first page, count ${count.toLocaleString('en')}`]: '',
      'last page': `&page=${Math.ceil(count / PAGE_SIZE)}`,
      'last page by name': `&ordering=name&page=${Math.ceil(count / PAGE_SIZE)}`,
      'q that a tenth of them contain': '&q=backup',
      'q that few of them contain': '&q=backup%20777',
    };
    /** @type {Pages} */
    const pages = {};
    for (let round = -1; round < rounds; round++) {
      for (const [name, query] of Object.entries(queries)) {
        const begin = performance.now();
        await get(query);
        if (round >= 0) (pages[name] ??= []).push(performance.now() - begin);
      }
    }
    return pages;
  } finally {
    await server.stop();
  }
}

/** @param {string} size @param {Pages} pages */
export function printPages(size, pages) {
  console.log(`\nNumbered pages of private tokens, for the owner of a tenth of ${size}: median (least-most)\n`);
  console.log(
    table(
      ['', 'ms'],
      Object.entries(pages).map(([name, values]) => [name, spread(values, 1)]),
    ),
  );
}
