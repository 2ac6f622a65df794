import tseslint from 'typescript-eslint';

// Formatting and imports are biome's; this finds what needs types, an un-awaited query above all.
export default tseslint.config(
  { ignores: ['**/dist/', 'generated/', 'bench/', 'scripts/', 'examples/', '*.config.*', '.dependency-cruiser.cjs'] },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // Objects here are closures, not classes: their methods know no `this`.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
