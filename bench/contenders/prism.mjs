// @ts-check
import { getHttpOperationsFromSpec } from '@stoplight/prism-cli/dist/operations.js';
import { createServer } from '@stoplight/prism-http-server';

// Prism, which answers from the examples in openapi.yaml: the cost of a mock that validates requests by the contract.
//
//   node bench/contenders/prism.mjs OPENAPI

const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {}, success() {} };
const logger = { ...quiet, child: () => logger };

const operations = await getHttpOperationsFromSpec(process.argv[2] ?? '');
const server = createServer(operations, {
  cors: false,
  components: { logger: /** @type {any} */ (logger) },
  config: {
    mock: { dynamic: false },
    validateRequest: true,
    validateResponse: false,
    checkSecurity: true,
    errors: false,
    upstreamProxy: undefined,
    isProxy: false,
  },
});
console.log(`listening on ${await server.listen(0, '127.0.0.1')}`);
