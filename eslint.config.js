import tseslint from 'typescript-eslint';

const TIMERS = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'queueMicrotask'];
const message = 'Import it from timers.ts: a test library that replaces timers must not stop this code.';

// biome checks formatting and imports; ESLint checks what needs types, above all queries that are not awaited.
export default tseslint.config(
  { ignores: ['**/dist/', 'generated/', 'bench/', 'scripts/', 'examples/', '*.config.*', '.dependency-cruiser.cjs'] },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // Objects here are closures, not classes: their methods do not use `this`.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['client/**/*.ts', 'contract/**/*.ts', 'server/**/*.ts', 'testing/**/*.ts'],
    ignores: ['*/timers.ts'],
    rules: {
      'no-restricted-globals': ['error', ...TIMERS.map((name) => ({ name, message }))],
      'no-restricted-imports': [
        'error',
        { paths: ['node:timers', 'node:timers/promises'].map((name) => ({ name, message })) },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message },
        { object: 'performance', property: 'now', message },
        { object: 'process', property: 'nextTick', message },
        { object: 'AbortSignal', property: 'timeout', message },
      ],
      'no-restricted-syntax': ['error', { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message }],
    },
  },
);
