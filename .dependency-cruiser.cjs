/** Which folder may import which; ARCHITECTURE.md explains why. */
const only = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });

/** The other products in the benchmark, whose packages the benchmark installs separately. */
const CONTENDERS = '^bench/contenders/(better-auth|prism)\\.mjs$';

/** The names and bounds of settings, which the command needs before it loads the server. */
const SETTINGS = '^server/config/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    only('no-cycles', { pathNot: '^generated/' }, { circular: true }, 'Imports of types count too.'),
    only('generated-stands-alone', { path: '^generated/' }, { pathNot: '^generated/' }),
    only(
      'client-needs-generated-alone',
      { path: '^client/', pathNot: '^client/middleware/adapters/' },
      { pathNot: '^(client|generated)/' },
    ),
    only(
      'adapters-load-no-framework',
      { path: '^client/middleware/adapters/' },
      { pathNot: '^client/middleware/(index|adapters/incoming)\\.ts$', dependencyTypesNot: ['type-only'] },
      'Adapters import types from the frameworks and from Node, and no code.',
    ),
    only('client-needs-no-middleware', { path: '^client/[^/]+$' }, { path: '^client/middleware/' }),
    only(
      'server-takes-types-from-generated',
      { path: '^server/' },
      { path: '^generated/', dependencyTypesNot: ['type-only'] },
    ),
    only(
      'server-knows-no-client',
      { path: '^server/', pathNot: '^server/testing/client\\.ts$' },
      { path: '^(client|cli|testing|test|bench)/' },
      'Only the file that makes the clients of the local server for tests may.',
    ),
    only(
      'ordinary-server-loads-no-testing',
      { path: '^server/', pathNot: '^server/testing/' },
      { path: '^server/testing/', dependencyTypesNot: ['type-only', 'dynamic-import'] },
    ),
    only('testing-uses-public-entries', { path: '^testing/' }, { path: '^server/', pathNot: '^server/index\\.ts$' }),
    only(
      'cli-uses-public-entries',
      { path: '^cli/' },
      {
        path: '^(server|client|contract|scan)/',
        pathNot: `^(server|client|contract|scan)/index\\.ts$|${SETTINGS}`,
      },
    ),
    only(
      'commands-of-users-know-the-client-alone',
      { path: '^cli/(account|tokens|output|completion)/' },
      { path: '^(server|contract)/', pathNot: SETTINGS },
      'These commands work with any service, from any machine, and start without loading the server.',
    ),
    only(
      'contract-knows-no-server',
      { path: '^contract/' },
      { path: '^(server|cli|test|bench)/' },
      'The contract tests judge any server, so they must not share code with this one.',
    ),
    only('server-knows-no-contract-tests', { path: '^(server|client)/' }, { path: '^contract/' }),
    only(
      'scan-stands-alone',
      { path: '^scan/' },
      { path: '^(server|client|contract|cli|testing|generated|test|bench)/' },
      'The scan starts fast because it loads nothing of the server.',
    ),
    only(
      'pages-know-the-client-alone',
      { path: '^web/' },
      { path: '^(server|contract|cli|scan|testing|test|bench|scripts)/' },
    ),
    only(
      'pages-are-for-browsers',
      { path: '^(generated|client|server|contract|scan|cli|testing)/' },
      { path: '^web/' },
    ),
    only('scan-is-for-the-command-alone', { path: '^(server|client|contract|testing)/' }, { path: '^scan/' }),
    only(
      'a-scan-loads-no-server',
      { path: '^cli/scan/' },
      { path: '^(server|contract)/', pathNot: SETTINGS, reachable: true },
    ),
    only(
      'domain-knows-no-http',
      { path: '^server/(tokens|users|database)/' },
      {
        path: '^server/(handlers|http|contract|testing)/|^server/(start|app|index)\\.ts',
      },
    ),
    only(
      'database-knows-nobody',
      { path: '^server/database/' },
      { path: '^server/', pathNot: '^server/(database/|(pace|timers|config/postgres-url)\\.ts)' },
    ),
    only(
      'domain-uses-the-database-by-its-entry',
      { path: '^server/', pathNot: '^server/database/' },
      { path: '^server/database/', pathNot: '^server/database/(index|schema)\\.ts$' },
    ),
    only(
      'handlers-know-no-koa',
      { path: '^server/', pathNot: '^server/(app\\.ts|http/answer\\.ts|contract/)' },
      { path: 'node_modules/(koa|@koa/router|openapi-backend)/' },
    ),
    only(
      'one-importer-of-the-drivers',
      { path: '^server/', pathNot: '^server/database/' },
      { path: 'node_modules/(better-sqlite3|pg)/' },
    ),
    // The named packages are optional peers, which dependency-cruiser does not count as declared.
    only(
      'no-undeclared-package',
      { pathNot: CONTENDERS },
      {
        pathNot: 'node_modules/(vitest|express|fastify|hono|koa|pg|nodemailer)/',
        dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'],
      },
    ),
    only('unresolvable', { pathNot: CONTENDERS }, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^client/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default', 'node'] },
  },
};
