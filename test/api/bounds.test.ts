import { describe, expect, test } from 'vitest';
import openApi from '../../generated/openapi.json' with { type: 'json' };
import { send } from '../support/http.js';
import { startService } from '../support/service.js';
import { shareService } from '../support/shared.js';

// What the document allows reaches the server: no request of its bounds is too long for head or body.

interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: string[];
  format?: string;
  pattern?: string;
  maxLength?: number;
  maximum?: number;
  maxItems?: number;
  maxProperties?: number;
  propertyNames?: Schema;
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
}

interface SpecOperation {
  operationId: string;
  parameters?: { $ref: string }[];
  responses: object;
  requestBody?: { content: Record<string, { schema: Schema }> };
}

interface Parameter {
  name: string;
  in: string;
  schema: Schema;
}

function resolve<T extends object>(value: T): T {
  if (!('$ref' in value)) return value;
  let found: unknown = openApi;
  for (const part of String(value.$ref).slice(2).split('/')) found = (found as Record<string, unknown>)[part];
  return found as T;
}

/** Four bytes in UTF-8, twelve in percent-encoding. */
const WIDEST = '🔑';

/** The longest text that a schema lets through, by the widest characters that its pattern does. */
function longestText({ maxLength = 0, pattern, enum: words, format }: Schema): string {
  if (words !== undefined) return words.reduce((one, other) => (one.length >= other.length ? one : other));
  if (format === 'uuid') return '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b';
  if (format === 'date-time') return `2030-01-01T00:00:00.${'0'.repeat(maxLength - 26)}+00:00`;
  if (format === 'email') return `${'a'.repeat(64)}@${'b'.repeat(60)}.org`;
  const takesAll = pattern === undefined || new RegExp(pattern, 'u').test(WIDEST);
  return (takesAll ? WIDEST : 'a').repeat(maxLength);
}

/** The bytes of the longest value of a schema, as JSON in UTF-8. */
function longestJson(given: Schema): number {
  const schema = resolve(given);
  if (schema.items !== undefined) return 2 + (schema.maxItems ?? 0) * (longestJson(schema.items) + 1);
  const named = Object.entries(schema.properties ?? {}).map(([name, member]) => name.length + 4 + longestJson(member));
  if (named.length > 0) return 2 + named.reduce((sum, bytes) => sum + bytes, 0);
  if (typeof schema.additionalProperties === 'object') {
    const name = schema.propertyNames?.maxLength ?? 0;
    return 2 + (schema.maxProperties ?? 0) * (name + 4 + longestJson(schema.additionalProperties));
  }
  if ([schema.type].flat().includes('string')) return 2 + Buffer.byteLength(longestText(schema));
  return 16;
}

const OPERATIONS = Object.entries(openApi.paths as Record<string, Record<string, SpecOperation>>).flatMap(
  ([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method: method.toUpperCase() })),
);

describe('the longest query and headers that the document allows', () => {
  const shared = shareService();
  const cases = OPERATIONS.filter(({ parameters }) => parameters !== undefined);
  test.each(cases)('reach $operationId', async ({ path, method, parameters = [], responses }) => {
    const { service, admin } = await shared();
    const all = parameters.map((parameter) => resolve(parameter) as unknown as Parameter);
    const query = new URLSearchParams();
    const headers: Record<string, string> = {};
    for (const { name, in: place, schema: given } of all) {
      const schema = resolve(given);
      const value = schema.type === 'string' ? longestText(schema) : String(schema.maximum ?? true);
      if (place === 'query') query.set(name, value);
      if (place === 'header')
        headers[name] = name === 'If-Match' ? `"${'a'.repeat((schema.maxLength ?? 0) - 2)}"` : value;
    }
    const line = path
      .replace(/\{(token|webhook|delivery)_id\}/g, '019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b')
      .replace(/\{\w+\}/, '9007199254740991');
    // With a credential in each place and as long as one may be.
    const credentials = {
      'X-API-Key': admin.token,
      Cookie: `vai_token=${admin.token}`,
      'X-Request-Id': 'a'.repeat(128),
    };
    const answer = await send(service, `${method} ${line}?${query.toString()}`, {
      token: admin.token,
      headers: { ...credentials, ...headers },
    });
    expect(Object.keys(responses)).toContain(String(answer.status));
    expect([413, 414, 431]).not.toContain(answer.status);
  });
});

describe('the longest body that the document allows', () => {
  const bodies = OPERATIONS.flatMap(({ operationId, requestBody }) =>
    requestBody === undefined ? [] : [{ operationId, schema: Object.values(requestBody.content)[0]?.schema ?? {} }],
  );
  // These have up to a hundred or a thousand texts, and the document says that they may be too much together.
  const many = ['verifyAccessTokens', 'reportLeakedCredentials', 'reportGitHubSecrets'];
  const bounded = bodies.filter(({ operationId }) => !many.includes(operationId));

  test.each(bounded)('of $operationId is no longer than 64 KiB in UTF-8', ({ schema }) => {
    expect(longestJson(schema)).toBeLessThanOrEqual(65_536);
  });

  test('of verify is answered, even with all of it escaped', async () => {
    const service = await startService();
    const { token } = await service.admin();
    const scopes = Array.from({ length: 64 }, (_, index) => String(index).padStart(100, 'x'));
    const body = JSON.stringify({ token: WIDEST.repeat(4_096), scopes }).replace(
      /[^ -~]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16)}`,
    );
    const answer = await send(service, 'POST /api/v1/access-tokens/verify', { token, body });
    expect(answer).toMatchObject({ status: 200, body: { code: 'malformed' } });
  });
});
