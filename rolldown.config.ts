import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';
import { compressed } from './web/build/compressed.js';
import { consolePages } from './web/build/console.js';
import { reference } from './web/build/reference.js';

// Bundles the server's code and its pure JavaScript packages into a few files: Node spends most of a start on finding and
// parsing some 700 modules (Kysely alone has 279). rollup.config.mjs bundles the types.
const pages = consolePages();

export default defineConfig({
  input: {
    'client/index': 'client/index.ts',
    'server/index': 'server/index.ts',
    'server/worker': 'server/workers/worker.ts',
    'contract/index': 'contract/index.ts',
    'contract/vitest': 'contract/vitest.ts',
    'testing/vitest': 'testing/vitest.ts',
    'cli/main': 'cli/main.ts',
  },
  platform: 'node',
  // Packages with native code stay packages. So do vitest, pg and nodemailer: the user's own installation has to be used.
  external: [/^node:/, 'better-sqlite3', '@node-rs/argon2', 'vitest', 'pg', 'nodemailer'],
  plugins: [withoutUnused(), inAscii(), pages.plugin, reference(), licenses(), compressed()],
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  checks: {
    // depd, a dependency of Koa, evaluates a constant text.
    eval: false,
  },
  // Half of the text is comments. THIRD-PARTY-LICENSES.txt contains the licences among them.
  output: { dir: 'dist', chunkFileNames: 'chunks/[name]-[hash].js', cleanDir: true, sourcemap: true, comments: false },
});

/**
 * Code that a start would load and the service never uses: a sixth of the start's time. Each entry has the package that
 * requires the code, the name that it requires, and the code that replaces it.
 */
const UNUSED: [importer: string, id: RegExp, instead: string][] = [
  // `check` lints the contract, openapi-backend is configured not to check it, and nothing is mocked.
  ['/openapi-backend/', /^(openapi-schema-validator|mock-json-schema)$/, 'module.exports = {};'],
  // The service parses queries itself, more strictly.
  ['/openapi-backend/', /^qs$/, 'module.exports = {};'],
  // The server passes the contract already parsed.
  ['/openapi-backend/', /^\.\/refparser$/, 'exports.parse = async (document) => document;'],
  // All of lodash, of which openapi-backend uses a twentieth.
  ['/openapi-backend/', /^lodash$/, pickLodash()],
  // The service uses no transports of pino.
  ['/pino/', /^\.\/lib\/transport$|^\.\/transport$/, 'module.exports = {};'],
  // Tables of 2,500 media types, which Koa never needs here.
  ['/mime-types/', /^mime-db$/, 'module.exports = {};'],
];

/** A lodash with only the functions that openapi-backend calls, as `_.name(` or in a chain as `.name(`. */
function pickLodash(): string {
  const chained = ['entries', 'find', 'flatMap', 'orderBy'];
  const folder = 'node_modules/openapi-backend';
  const sources = readdirSync(folder).filter((file) => file.endsWith('.js'));
  const called = sources.flatMap((file) => [...readFileSync(join(folder, file), 'utf8').matchAll(/\b_\.(\w+)/g)]);
  const names = new Set([...chained, ...called.map(([, name = '']) => name)]);
  const functions = [...names].map((name) => `${name}: require('lodash/${name}')`);
  return `
    const lodash = require('lodash/wrapperLodash');
    require('lodash/mixin')(lodash, { ${functions.join(', ')} });
    lodash.prototype.value = require('lodash/wrapperValue');
    module.exports = lodash;
  `;
}

function withoutUnused(): Plugin {
  const PREFIX = '\0unused ';
  return {
    name: 'without-unused',
    resolveId(id, importer = '') {
      const found = UNUSED.findIndex(([of, pattern]) => pattern.test(id) && importer.includes(of));
      return found === -1 ? null : `${PREFIX}${String(found)}`;
    },
    load: (id) => (id.startsWith(PREFIX) ? UNUSED[Number(id.slice(PREFIX.length))]?.[2] : null),
  };
}

/** V8 keeps a file with one other character at two bytes for each. Without comments, all such characters are in literals. */
function inAscii(): Plugin {
  return {
    name: 'in-ascii',
    // Not in `renderChunk`, because rolldown prints the text once more after it.
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\x7f]/g, escapeOf);
      }
    },
  };
}

function escapeOf(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Writes the licences of the bundled packages beside the bundle, as the licences require. */
function licenses(): Plugin {
  return {
    name: 'licenses',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
      const folders = [...modules, ...pages.modules()].flatMap(
        (id) => /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? [],
      );
      const texts = [...new Set(folders)].sort().map((folder) => {
        const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
          name: string;
          version: string;
          license?: string;
        };
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
        const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
        return `${name} ${version} (${license ?? 'see below'})\n\n${text}`;
      });
      this.emitFile({
        type: 'asset',
        fileName: 'THIRD-PARTY-LICENSES.txt',
        source: `${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`,
      });
    },
  };
}
