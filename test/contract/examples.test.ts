import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { testContract, toSummary } from '../../contract/index.js';
import { latchkeyPerFile } from '../../testing/vitest.js';
import { plaintextOf } from '../support/local-server.js';

// The APIs of examples/protect-an-api, by a document that says what their README says: none is told to be wrong.

const service = latchkeyPerFile({
  testing: {
    seed: {
      users: [
        {
          email: 'demo@latchkey.local',
          tokens: [
            { name: 'invoice API', plaintext: 'api', scopes: ['tokens:verify'] },
            { name: 'reporting', plaintext: 'reporting', scopes: ['invoices:read'] },
          ],
        },
      ],
    },
  },
});

/** Express calls a text HTML, and node:http sends what has no media type. */
const text = { 'text/*': { schema: { type: 'string' } } };
const refusal = {
  description: 'Refused.',
  content: {
    'application/json': {
      schema: {
        type: 'object',
        required: ['detail', 'code'],
        properties: { detail: { type: 'string' }, code: { enum: ['unauthorized', 'insufficient_scope'] } },
      },
    },
  },
};
const specOf = (content: object) => ({
  openapi: '3.1.0',
  info: { title: 'Invoices', version: '1' },
  components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  paths: {
    '/hello': {
      get: {
        operationId: 'greet',
        security: [{}, { token: [] }],
        responses: { 200: { description: 'A greeting.', ...content }, 401: refusal },
      },
    },
    '/invoices': {
      get: {
        operationId: 'listInvoices',
        security: [{ token: ['invoices:read'] }],
        responses: { 200: { description: 'The invoices.', ...content }, 401: refusal, 403: refusal },
      },
    },
  },
});

async function start(program: string): Promise<string> {
  const child = spawn(process.execPath, [program], {
    cwd: resolve('examples/protect-an-api'),
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      LATCHKEY_URL: service.url,
      LATCHKEY_TOKEN: plaintextOf(service, 'invoice API'),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  let printed = '';
  const port = await new Promise<string>((found, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      const [, port] = /^listening on .*\bport: (\d+)/m.exec(printed) ?? [];
      if (port !== undefined) found(port);
    });
    child.once('exit', () => {
      reject(new Error(`${program} ended: ${printed}`));
    });
  });
  return `http://127.0.0.1:${port}`;
}

test.each(['node.js', 'express.js', 'koa.js', 'fastify.js', 'hono.js'])('%s', { timeout: 60_000 }, async (program) => {
  const report = await testContract({
    url: await start(program),
    spec: specOf(program === 'node.js' ? {} : { content: text }),
    token: plaintextOf(service, 'reporting'),
    seed: 3,
  });
  expect(report.failures, toSummary(report)).toEqual([]);
  expect(report.held, toSummary(report)).toBe(true);
});
