import { dts } from 'rollup-plugin-dts';

// The declarations of the package's entries, each with all that it reaches and nothing else: what is behind the entries
// names types of packages that are bundled, which a consumer does not have. The code itself is rolldown's.
export default {
  input: {
    'client/index': 'client/index.ts',
    'server/index': 'server/index.ts',
    'contract/index': 'contract/index.ts',
    'contract/vitest': 'contract/vitest.ts',
    'testing/vitest': 'testing/vitest.ts',
  },
  external: [/^[^./]/],
  plugins: [dts({ tsconfig: 'tsconfig.json' })],
  output: {
    dir: 'dist',
    chunkFileNames: 'types/[name].d.ts',
    // TypeScript 6 takes up the types of Node only where somebody asks for them.
    banner: ({ moduleIds }) =>
      moduleIds.some((id) => id.includes('/server/')) ? '/// <reference types="node" />' : '',
  },
  onLog(level, log, handle) {
    // Of no consequence to types, which do not run.
    if (log.code !== 'CYCLIC_CROSS_CHUNK_REEXPORT') handle(level, log);
  },
};
