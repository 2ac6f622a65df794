import { dts } from 'rollup-plugin-dts';

// Bundles the declarations of the package's entries, with what each entry reaches and nothing else: the other declarations
// name types of bundled packages, which a consumer does not have. rolldown bundles the code.
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
    // TypeScript 6 loads the types of Node only where a file refers to them.
    banner: ({ moduleIds }) =>
      moduleIds.some((id) => id.includes('/server/')) ? '/// <reference types="node" />' : '',
  },
  onLog(level, log, handle) {
    // Declarations do not run, so cycles among chunks do no harm.
    if (log.code !== 'CYCLIC_CROSS_CHUNK_REEXPORT') handle(level, log);
  },
};
