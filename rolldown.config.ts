import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';

// The server's code and its pure JavaScript packages in a few files: Node spends most of a start finding and parsing
// some 700 modules (Kysely alone has 279), which bundling cuts to a third. Types come from tsc, see the `build` script.
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
  // What has native code or files of its own stays a package, and so does the test runner of those who use it.
  external: [/^node:/, 'better-sqlite3', '@node-rs/argon2', 'vitest'],
  plugins: [withoutUnused(), inAscii(), licenses()],
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  checks: {
    // depd, a dependency of Koa, evaluates a constant text of its own.
    eval: false,
  },
  // Half of the text is comments; the licences among them are in a file of their own.
  output: { dir: 'dist', chunkFileNames: 'chunks/[name]-[hash].js', cleanDir: true, sourcemap: true, comments: false },
});

/**
 * Code that a start reads and builds, and that the service never uses: it takes a sixth of the start. By who requires it,
 * what it is called there, and what stands in for it.
 */
const UNUSED: [importer: string, id: RegExp, instead: string][] = [
  // `check` has linted the contract, openapi-backend is told to trust it, and nothing is mocked.
  ['/openapi-backend/', /^(openapi-schema-validator|mock-json-schema)$/, 'module.exports = {};'],
  // What a request asks is parsed by the service, more strictly.
  ['/openapi-backend/', /^qs$/, 'module.exports = {};'],
  // The contract comes parsed.
  ['/openapi-backend/', /^\.\/refparser$/, 'exports.parse = async (document) => document;'],
  // All of lodash, of which it uses a twentieth.
  ['/openapi-backend/', /^lodash$/, pickLodash()],
  // Nothing is sent to threads of pino's.
  ['/pino/', /^\.\/lib\/transport$|^\.\/transport$/, 'module.exports = {};'],
  // Tables of 2,500 media types, of which Koa is asked for none.
  ['/mime-types/', /^mime-db$/, 'module.exports = {};'],
];

/** lodash made of those of its functions that openapi-backend calls: as `_.name(`, or as `.name(` of a chain. */
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

/** One other character makes V8 keep a file's text with two bytes for each. Comments being gone, they are all in literals. */
function inAscii(): Plugin {
  return {
    name: 'in-ascii',
    // Later than `renderChunk`, after which the text is printed once more.
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

/** Puts the licences of what is bundled beside it, as they demand. */
function licenses(): Plugin {
  return {
    name: 'licenses',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
      const folders = modules.flatMap((id) => /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []);
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
