import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createAccessToken,
  createUser,
  listAccessTokens,
  listPrivateTokens,
  listUsers,
  updateAccessToken,
  updateUser,
} from '../../generated/index.js';
import { answered, type Client, startService } from '../support/service.js';
import { shareService } from '../support/shared.js';
import { rowsOf } from '../support/store.js';

// Search in any letter case, of any alphabet.

async function found(client: Client, q: string): Promise<string[]> {
  const { items } = await answered(listAccessTokens({ client, query: { q, sort: 'createdAt' } }));
  return items.map(({ name }) => name);
}

async function foundByName(client: Client, q: string): Promise<string[]> {
  const { results } = await answered(listPrivateTokens({ client, query: { q, ordering: 'id' } }));
  return results.map(({ name }) => name);
}

const TOKENS = [
  { name: 'Groß und Klein', description: 'Straße\nnach Süden' },
  { name: 'GROSS', description: 'ships 100%' },
  { name: 'Ärger', description: '' },
  { name: 'plain', description: 'Ünlike' },
  { name: 'Σίσυφος', description: 'ascii Only' },
];

const shared = shareService(async (_service, { client }) => {
  for (const body of TOKENS) await answered(createAccessToken({ client, body }));
});

const SEARCHES: [q: string, both: string[], byName: string[]][] = [
  ['groß', ['Groß und Klein', 'GROSS'], ['Groß und Klein', 'GROSS']],
  ['ross', ['Groß und Klein', 'GROSS'], ['Groß und Klein', 'GROSS']],
  ['STRASSE', ['Groß und Klein'], []],
  ['süden', ['Groß und Klein'], []],
  ['klein straße', [], []],
  ['ÄRGER', ['Ärger'], ['Ärger']],
  ['ärg', ['Ärger'], ['Ärger']],
  ['ünlike', ['plain'], []],
  ['PLAIN', ['plain'], ['plain']],
  ['100%', ['GROSS'], []],
  ['σίσυφοσ', ['Σίσυφος'], ['Σίσυφος']],
  ['ASCII ONLY', ['Σίσυφος'], []],
  ['lk_pat_', TOKENS.map(({ name }) => name), []],
];

test.each(SEARCHES)('`%s` finds what it should', async (q, both, byName) => {
  const { admin } = await shared();
  expect(await found(admin.client, q)).toEqual(both);
  expect(await foundByName(admin.client, q)).toEqual(byName);
});

test('an edit moves what a token is found by', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const { token } = await answered(createAccessToken({ client, body: { name: 'ascii' } }));
  const edit = (body: { name?: string; description?: string }) =>
    answered(updateAccessToken({ client, path: { token_id: token.id }, body }));
  await edit({ description: 'für Ämter' });
  expect(await found(client, 'FÜR ÄMTER')).toEqual(['ascii']);
  await edit({ name: 'Öl' });
  expect(await found(client, 'öl')).toEqual(['Öl']);
  expect(await found(client, 'ascii')).toEqual([]);
  await edit({ name: 'ascii', description: '' });
  expect(await found(client, 'ASCII')).toEqual(['ascii']);
  expect(await found(client, 'ämter')).toEqual([]);
});

test('users are found by name and e-mail in any letter case', async () => {
  const service = await startService();
  const { client } = await service.admin();
  const { user } = await answered(createUser({ client, body: { email: 'jörg@example.org', fullName: 'Łukasz' } }));
  const ids = async (q: string) => (await answered(listUsers({ client, query: { q } }))).items.map(({ id }) => id);
  expect(await ids('JÖRG@')).toEqual([user.id]);
  expect(await ids('łUKASZ')).toEqual([user.id]);
  await answered(updateUser({ client, path: { user_id: user.id }, body: { fullName: 'Žofia' } }));
  expect(await ids('žOFIA')).toEqual([user.id]);
  expect(await ids('łukasz')).toEqual([]);
});

test('a search column is kept for what is not all ASCII, and for nothing else', async () => {
  const { service } = await shared();
  const ascii = await rowsOf(service, "select name from access_tokens where search is null and type = 'pat'");
  expect(ascii).toEqual([{ name: 'GROSS' }]);
});

test('whatever the name is, every part of it finds it in upper and in lower case', async () => {
  const { admin } = await shared();
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter((text) => /\S/u.test(text) && !/[\p{Cc}\p{Cs}]/u.test(text));
  await fc.assert(
    fc.asyncProperty(name, fc.nat(), async (text, number) => {
      const { token } = await answered(createAccessToken({ client: admin.client, body: { name: text } }));
      const letters = Array.from(text);
      const part = letters.slice(number % letters.length).join('');
      for (const q of [part, part.toUpperCase()]) {
        const { items } = await answered(listAccessTokens({ client: admin.client, query: { q, limit: 200 } }));
        expect(items.map(({ id }) => id)).toContain(token.id);
      }
    }),
    { numRuns: 25 },
  );
});
