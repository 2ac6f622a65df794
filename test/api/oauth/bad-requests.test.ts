import { describe, expect, test } from 'vitest';
import { createFaultyDatabase } from '../../support/faulty-database.js';
import { type RequestParts, send } from '../../support/http.js';
import { ANY_STRING, matching } from '../../support/matchers.js';
import { create, FORM, INTROSPECT, isAccepted, REVOKE, sendForm } from '../../support/oauth.js';
import { expectRefusal } from '../../support/refusal.js';
import { startService } from '../../support/service.js';
import { shareService } from '../../support/shared.js';

describe('a bad request is 400 in the words of RFC 6749', () => {
  const target = shareService(async (_, { client }) => await create(client));

  describe.each([INTROSPECT, REVOKE] as const)('%s', (line) => {
    test.each<[string, (token: string) => string, unknown]>([
      ['without a body', () => '', 'A body is required'],
      ['without a token', () => 'token_type_hint=access_token', 'token: Field required'],
      ['with a misspelt token', (token) => `Token=${token}`, 'token: Field required'],
      ['with an empty token', () => 'token=', matching(/^token: .*at least 1 character$/)],
      ['with 4097 characters', () => `token=${'a'.repeat(4_097)}`, matching(/^token: .*at most 4096 characters$/)],
      ['with the token twice', (token) => `token=${token}&token=${token}`, 'token: Parameter should be sent once'],
      ['with an unknown parameter twice', (token) => `a=1&token=${token}&a=1`, 'a: Parameter should be sent once'],
      [
        'with a name outside of what may be said',
        (token) => `%22%0A%C3%A4=1&%22%0A%C3%A4=&token=${token}`,
        matching(/^\?\?\?: /),
      ],
      [
        'with a long name twice',
        (token) => `${'a&'.repeat(2).replaceAll('a', 'a'.repeat(2_000))}token=${token}`,
        ANY_STRING,
      ],
      ['with broken percent-encoding', (token) => `token=${token}&a=%ff`, 'Input should be UTF-8 in percent-encoding'],
      ['with raw text', (token) => `token=${token}&a=ä`, 'Input should be UTF-8 in percent-encoding'],
      ['with a line end', (token) => `token=${token}\n`, 'Input should be UTF-8 in percent-encoding'],
    ])('%s', async (_, bodyOf, error_description) => {
      const { service, admin, made } = await target();
      await expectRefusal(service, () => sendForm(service, line, bodyOf(made.plaintext), { token: admin.token }), {
        status: 400,
        body: { error: 'invalid_request', error_description },
        secrets: [made.plaintext],
      });
    });

    test.each(['token', 'a'])('with %s in the query, whatever the body says', async (name) => {
      const { service, admin, made } = await target();
      for (const body of ['', `token=${made.plaintext}`]) {
        const call = () => sendForm(service, `${line}?${name}=${made.plaintext}`, body, { token: admin.token });
        await expectRefusal(service, call, {
          status: 400,
          body: {
            error: 'invalid_request',
            error_description: matching(new RegExp(`\\b${name}: Extra inputs are not`)),
          },
          secrets: [made.plaintext],
        });
      }
    });

    test.each<[string, number, RequestParts]>([
      ['JSON', 415, { body: '{"token":"a"}', headers: { 'Content-Type': 'application/json' } }],
      ['no content type', 415, { body: 'token=a', headers: { 'Content-Type': undefined } }],
      ['another charset', 415, { body: 'token=a', headers: { 'Content-Type': `${FORM}; charset=iso-8859-1` } }],
      ['a content encoding', 415, { body: 'token=a', headers: { 'Content-Type': FORM, 'Content-Encoding': 'gzip' } }],
      ['several parts', 415, { body: '--a--', headers: { 'Content-Type': 'multipart/form-data; boundary=a' } }],
      ['more than 64 KiB', 413, { body: `token=${'a'.repeat(65_536)}`, headers: { 'Content-Type': FORM } }],
    ])('with %s is %d', async (_, status, parts) => {
      const { service, admin } = await target();
      await expectRefusal(service, () => send(service, line, { token: admin.token, ...parts }), {
        status,
        body: { error: 'invalid_request', error_description: ANY_STRING },
      });
    });

    test('with another method is 405', async () => {
      const { service, admin } = await target();
      const answer = await expectRefusal(
        service,
        () => send(service, line.replace('POST', 'GET') as typeof line, { token: admin.token }),
        {
          status: 405,
          body: { error: 'invalid_request', error_description: ANY_STRING },
        },
      );
      expect(answer.headers.allow).toBe('POST, OPTIONS');
    });

    test('takes a form with a charset, in any letter case', async () => {
      const { service, admin } = await target();
      const headers = { 'Content-Type': 'Application/X-WWW-Form-Urlencoded; Charset=UTF-8' };
      const answer = await sendForm(service, line, 'token=%6cothing&plus=a+b', { token: admin.token, headers });
      expect(answer.status).toBe(200);
    });

    test('with a database that does not answer is 503, and no verdict', async () => {
      const faulty = createFaultyDatabase();
      const service = await startService({ openDatabase: (path) => faulty.open(path) });
      const { client, token } = await service.admin();
      const { plaintext } = await create(client);
      // The caller is authenticated before the disk fails.
      for (const spared of [0, 1]) {
        faulty.set('storage', spared);
        const answer = await sendForm(service, line, `token=${plaintext}`, { token });
        expect(answer).toMatchObject({
          status: 503,
          headers: { 'retry-after': matching(/^[1-9]\d*$/) },
          body: { error: 'temporarily_unavailable', error_description: ANY_STRING },
        });
      }
      faulty.set('none');
      expect(await isAccepted(service, plaintext)).toBe(true);
    });
  });
});
