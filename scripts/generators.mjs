import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

// Checks that the clients which four common generators make of the contract compile in strict TypeScript. Installs the
// generators into a temporary folder, because they have several times as many packages as this project. Their versions are
// the last that run on Node 20.

const PACKAGES = [
  '@kubb/cli@4.39.3',
  '@kubb/core@4.39.3',
  '@kubb/plugin-client@4.39.3',
  '@kubb/plugin-oas@4.39.3',
  '@kubb/plugin-ts@4.39.3',
  'openapi-typescript@7.13.0',
  'orval@7.13.2',
  'swagger-typescript-api@13.13.0',
  'typescript@5.9.3',
];

const KUBB_CONFIG = `
import { defineConfig } from '@kubb/core';
import { pluginClient } from '@kubb/plugin-client';
import { pluginOas } from '@kubb/plugin-oas';
import { pluginTs } from '@kubb/plugin-ts';

export default defineConfig({
  root: '.',
  input: { path: './openapi.yaml' },
  output: { path: './kubb', format: false },
  plugins: [pluginOas(), pluginTs(), pluginClient({ client: 'fetch', bundle: true })],
});
`;

const GENERATORS = {
  'openapi-typescript': ['openapi-typescript', 'openapi.yaml', '--output', 'openapi-typescript/index.ts'],
  orval: ['orval', '--input', './openapi.yaml', '--output', './orval/index.ts', '--client', 'fetch'],
  kubb: ['kubb', 'generate', '--config', 'kubb.config.mjs'],
  'swagger-typescript-api': [
    'swagger-typescript-api',
    'generate',
    '-p',
    'openapi.yaml',
    '-o',
    'swagger-typescript-api',
    '-n',
    'index.ts',
  ],
};

const folder = await mkdtemp(join(tmpdir(), 'latchkey-generators-'));
try {
  await writeFile(join(folder, 'package.json'), '{ "name": "generators", "private": true, "type": "module" }');
  await writeFile(join(folder, 'kubb.config.mjs'), KUBB_CONFIG);
  await cp('openapi.yaml', join(folder, 'openapi.yaml'));
  await run('npm', [
    'install',
    '--save-exact',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    ...PACKAGES,
  ]);
  for (const [name, [command, ...args]] of Object.entries(GENERATORS)) {
    const failure = (await run(join('node_modules', '.bin', command), args)) ?? (await compile(name));
    console.log(`${name}: ${failure ?? 'compiles'}`);
    if (failure !== undefined) process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The compiler's messages about a generator's files; undefined if they compile. */
async function compile(name) {
  const files = await readdir(join(folder, name), { recursive: true }).catch(() => []);
  if (!files.some((file) => file.endsWith('.ts'))) return 'generated no TypeScript file';
  const compilerOptions = {
    ...{ strict: true, noEmit: true, target: 'ES2022', module: 'ESNext', moduleResolution: 'bundler', types: [] },
    ...{ lib: ['ES2022', 'DOM', 'DOM.Iterable'], allowImportingTsExtensions: true, skipLibCheck: true },
  };
  const config = `tsconfig.${name}.json`;
  await writeFile(join(folder, config), JSON.stringify({ compilerOptions, include: [name] }));
  return await run(join('node_modules', '.bin', 'tsc'), ['--project', config]);
}

/** Runs a command and returns what it printed if it failed; undefined after success. */
async function run(command, args) {
  return await promisify(execFile)(command, args, { cwd: folder, maxBuffer: 2 ** 26 }).then(
    () => undefined,
    ({ stdout, stderr, message }) => `${stdout}${stderr}`.trim() || message,
  );
}
