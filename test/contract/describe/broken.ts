import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll } from 'vitest';
import { describeContract } from '../../../contract/vitest.js';

// Tests of a server that breaks its contract at one of its operations; describe.test.ts runs them in a vitest of their own.

const ok = { responses: { 204: { description: 'done' } } };
const spec = {
  openapi: '3.1.0',
  info: { title: 'Three', version: '1' },
  paths: {
    '/good': { get: { operationId: 'getGood', ...ok } },
    '/bad': { get: { operationId: 'getBad', ...ok } },
    '/left': { get: { operationId: 'getLeft', ...ok } },
  },
};

let server: Server;

beforeAll(async () => {
  server = createServer((request, response) => {
    const status = request.method === 'GET' ? (request.url === '/bad' ? 500 : 204) : 405;
    response.writeHead(status, { Allow: 'GET' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

describeContract({
  title: 'three',
  url: () => `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
  spec,
  seed: 4,
  fuzzRuns: 1,
  leaveOut: { getLeft: 'it is slow' },
});
