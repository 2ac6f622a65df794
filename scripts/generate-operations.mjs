// @ts-check
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Writes operations.ts, from which the server derives types: the operations without security, the query parameters with a
// default, and the request headers. The generated client lacks these. The argument is the folder of openapi.json, into which
// operations.ts is written.

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

const folder = process.argv[2] ?? 'generated';
const openApi = JSON.parse(readFileSync(join(folder, 'openapi.json'), 'utf8'));

/** @type {{ id: string, open: boolean, parameters: { name: string, in: string, schema: { default?: unknown } }[] }[]} */
const operations = Object.values(openApi.paths).flatMap((path) =>
  METHODS.flatMap((method) => {
    const operation = path[method];
    if (operation === undefined) return [];
    const security = operation.security ?? openApi.security ?? [];
    const parameters = [...(path.parameters ?? []), ...(operation.parameters ?? [])].map(resolved);
    return [{ id: operation.operationId, open: security.length === 0, parameters }];
  }),
);

const open = operations.flatMap(({ id, open }) => (open ? [id] : []));
const defaulted = operations.flatMap(({ id, parameters }) => {
  const names = parameters.flatMap(({ in: place, name, schema }) =>
    place === 'query' && schema.default !== undefined ? [name] : [],
  );
  return names.length === 0 ? [] : [`  ${id}: ${listOf(names)},`];
});
const headers = new Set(
  operations.flatMap(({ parameters }) =>
    parameters.flatMap(({ in: place, name }) => (place === 'header' ? [name.toLowerCase()] : [])),
  ),
);

writeFileSync(
  join(folder, 'operations.ts'),
  `// This file is auto-generated from openapi.yaml by scripts/generate-operations.mjs

/** Operations that need no credential. */
export const OPEN = ${listOf(open)} as const;

/** The query parameters of each operation that have a default, so that a handler always gets them. */
export const DEFAULTED = {
${defaulted.join('\n')}
} as const;

/** The request headers that are parameters of an operation, in lower case. */
export const HEADERS = ${listOf([...headers])} as const;
`,
);

/** @param {string[]} names */
function listOf(names) {
  return `[${names.map((name) => `'${name}'`).join(', ')}]`;
}

/** @param {{ $ref?: string }} parameter */
function resolved({ $ref, ...parameter }) {
  if ($ref === undefined) return parameter;
  return $ref
    .slice('#/'.length)
    .split('/')
    .reduce((value, key) => value[key], openApi);
}
