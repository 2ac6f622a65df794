import { defineConfig } from 'rolldown';

// The server's code and its pure JavaScript packages in a few files: Node spends most of a start finding and parsing
// some 700 modules (Kysely alone has 279), which bundling cuts to a third. Types come from tsc, see the `build` script.
export default defineConfig({
  input: {
    'client/index': 'client/index.ts',
    'server/index': 'server/index.ts',
    'contract/index': 'contract/index.ts',
    'testing/vitest': 'testing/vitest.ts',
    'cli/main': 'cli/main.ts',
  },
  platform: 'node',
  // What has native code or files of its own stays a package, and so does the test runner of those who use it.
  external: [/^node:/, 'better-sqlite3', '@node-rs/argon2', 'pino', 'vitest'],
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  checks: {
    // depd, a dependency of Koa, evaluates a constant text of its own.
    eval: false,
  },
  output: { dir: 'dist', chunkFileNames: 'chunks/[name]-[hash].js', cleanDir: true, sourcemap: true },
});
