import { describe, expect, test } from 'vitest';
import { createAccessToken, createPrivateToken, getAccessToken, listPrivateTokens } from '../../generated/index.js';
import { send } from '../support/http.js';
import { ANY_STRING, SOME_MESSAGES } from '../support/matchers.js';
import { expectRefusal } from '../support/refusal.js';
import { answered, startService } from '../support/service.js';
import { shareService } from '../support/shared.js';

const PRIVATE = '/api/v1/auth/private_tokens/';
const ACCESS = '/api/v1/access-tokens';
const NEXT_YEAR = '2031-06-15T12:00:00.000Z';
const UUID = '497f6eca-6276-4993-bfeb-53cbbbba6f08';

/** One problem at this place, of any type. */
function problemAt(...loc: string[]) {
  return { detail: [{ loc, msg: ANY_STRING, type: ANY_STRING }] };
}

describe('a name', () => {
  const shared = shareService();

  test.each([
    ['one character', 'a'],
    ['255 characters', 'a'.repeat(255)],
    ['255 code points in 510 UTF-16 units', '😀'.repeat(255)],
    ['letters with combining marks, composed or not', 'é e\u0301'],
    ['white space around', '  deploy bot  '],
    ['white space beyond ASCII within', 'deploy\u00a0\u3000bot'],
    ['right-to-left text', 'מפתח \u200fלפריסה'],
    ['joined emoji', '👩‍👩‍👧'],
    ['markup and quotation marks', `<b>'";--\\%_{}$`],
    ['JavaScript’s own names', '__proto__'],
    ['the last code point', '\u{10ffff}'],
  ])('may be %s, and is kept as it was sent', async (_, name) => {
    const { client } = (await shared()).admin;
    const { token } = await answered(createAccessToken({ client, body: { name } }));
    expect(token.name).toBe(name);
    expect((await answered(getAccessToken({ client, path: { token_id: token.id } }))).name).toBe(name);
    const created = await answered(createPrivateToken({ client, body: { name, expiration_time: NEXT_YEAR } }));
    expect(created.name).toBe(name);
    const { results } = await answered(listPrivateTokens({ client }));
    expect(results.slice(0, 2)).toMatchObject([{ name }, { name }]);
  });

  test.each([
    ['nothing', '""'],
    ['a space', '" "'],
    ['white space beyond ASCII', String.raw`"\u00a0\u2003\u3000\u2028\ufeff"`],
    ['256 characters', JSON.stringify('a'.repeat(256))],
    ['256 code points in 512 UTF-16 units', JSON.stringify('😀'.repeat(256))],
    ['a NUL alone', String.raw`"\u0000"`],
    ['a NUL within', String.raw`"admin\u0000bot"`],
    ['a line break', String.raw`"deploy\nbot"`],
    ['a tab', String.raw`"deploy\tbot"`],
    ['an escape', String.raw`"deploy\u001bbot"`],
    ['a delete', String.raw`"deploy\u007fbot"`],
    ['a C1 control character', String.raw`"deploy\u0085bot"`],
    ['a control character at the end', String.raw`"deploy bot\u0001"`],
    ['a lone high surrogate', String.raw`"deploy \ud83d bot"`],
    ['a lone low surrogate', String.raw`"deploy \ude00 bot"`],
    ['surrogates the wrong way round', String.raw`"\ude00\ud83d"`],
    ['a lone surrogate at the end', String.raw`"bot\ud83d"`],
    ['a number', '7'],
    ['a flag', 'true'],
    ['null', 'null'],
    ['a list', '["deploy bot"]'],
    ['an object', '{"toString": "deploy bot"}'],
  ])('is refused where it is %s', async (_, name) => {
    const { service, admin } = await shared();
    const { token } = admin;
    await expectRefusal(service, () => send(service, `POST ${ACCESS}`, { token, body: `{"name":${name}}` }), {
      status: 422,
      body: problemAt('body', 'name'),
    });
    const body = `{"name":${name},"expiration_time":"${NEXT_YEAR}"}`;
    await expectRefusal(service, () => send(service, `POST ${PRIVATE}`, { token, body }), {
      status: 400,
      body: { name: SOME_MESSAGES },
    });
  });

  test('in escapes is the name that they stand for', async () => {
    const { service, admin } = await shared();
    const body = String.raw`{"name":"\ud83d\ude00 \u0064eploy"}`;
    const answer = await send(service, `POST ${ACCESS}`, { token: admin.token, body });
    expect(answer).toMatchObject({ status: 201, body: { token: { name: '😀 deploy' } } });
  });
});

describe('a date-time', () => {
  const shared = shareService();
  test.each([
    ['without a zone', '2031-01-01T00:00:00'],
    ['without a time', '2031-01-01'],
    ['with a space for the T', '2031-01-01 00:00:00Z'],
    ['without seconds', '2031-01-01T00:00Z'],
    ['with a leap second', '2031-06-30T23:59:60Z'],
    ['with hour 24', '2031-01-01T24:00:00Z'],
    ['with minute 60', '2031-01-01T00:60:00Z'],
    ['with month 13', '2031-13-01T00:00:00Z'],
    ['with day 0', '2031-01-00T00:00:00Z'],
    ['with February 29 of a common year', '2031-02-29T00:00:00Z'],
    ['with April 31', '2031-04-31T00:00:00Z'],
    ['with a zone of 24 hours', '2031-01-01T00:00:00+24:00'],
    ['with a zone without minutes', '2031-01-01T00:00:00+01'],
    ['with a zone without a colon', '2031-01-01T00:00:00+0100'],
    ['with a zone by name', '2031-01-01T00:00:00 CET'],
    ['with a comma for the point', '2031-01-01T00:00:00,5Z'],
    ['with a point and no digits', '2031-01-01T00:00:00.Z'],
    ['in the basic format', '20310101T000000Z'],
    ['in a year of five digits', '12031-01-01T00:00:00Z'],
    ['in an extended year', '+012031-01-01T00:00:00Z'],
    ['with white space around', ' 2031-01-01T00:00:00Z '],
    ['with digits of another script', '２０３１-01-01T00:00:00Z'],
    ['in words', 'Wed, 01 Jan 2031 00:00:00 GMT'],
    ['that is empty', ''],
    ['that is a number', 1924992000000],
    ['that is a list', ['2031-01-01T00:00:00Z']],
  ])('%s is refused', async (_, expiration_time) => {
    const { service, admin } = await shared();
    const parts = { token: admin.token, json: { name: 'a', expiration_time } };
    await expectRefusal(service, () => send(service, `POST ${PRIVATE}`, parts), {
      status: 400,
      body: { expiration_time: SOME_MESSAGES },
    });
  });

  test('may fall on February 29 of a leap year', async () => {
    const { client } = (await shared()).admin;
    const body = { name: 'a', expiration_time: '2032-02-29T00:00:00Z' };
    expect(await answered(createPrivateToken({ client, body }))).toMatchObject({
      expiration_time: '2032-02-29T00:00:00.000Z',
    });
  });
});

describe('numbers and flags in a query are what they look like', () => {
  const shared = shareService();
  const bad = [
    '1e2',
    '0x10',
    '%2010',
    '10%20',
    '',
    '1.0',
    '1.5',
    '+1',
    '%2B1',
    '1_0',
    '%EF%BC%91',
    'NaN',
    'null',
    '1,2',
    '--1',
  ];
  test.each(bad)('the number %j is refused', async (text) => {
    const { service, admin } = await shared();
    const { token } = admin;
    for (const name of ['page', 'page_size']) {
      const line = `GET ${PRIVATE}?${name}=${text}` as const;
      await expectRefusal(service, () => send(service, line, { token }), {
        status: 400,
        body: { [name]: SOME_MESSAGES },
      });
    }
    const line = `GET ${ACCESS}?limit=${text}` as const;
    await expectRefusal(service, () => send(service, line, { token }), {
      status: 422,
      body: problemAt('query', 'limit'),
    });
  });

  test.each(['9007199254740992', '9007199254740993', '99999999999999999999', '-9007199254740993'])(
    'the number %s, which JavaScript cannot hold, is refused',
    async (text) => {
      const { service, admin } = await shared();
      const { token } = admin;
      await expectRefusal(service, () => send(service, `GET ${PRIVATE}?page=${text}`, { token }), {
        status: 400,
        body: { page: SOME_MESSAGES },
      });
    },
  );

  test.each(['True', 'TRUE', '1', '0', 'yes', 'on', '', '%20true', 'null'])('the flag %j is refused', async (text) => {
    const { service, admin } = await shared();
    const { token } = admin;
    for (const [method, name] of [
      ['GET', 'includeRevoked'],
      ['DELETE', 'exclude_current'],
    ] as const) {
      await expectRefusal(service, () => send(service, `${method} ${ACCESS}?${name}=${text}`, { token }), {
        status: 422,
        body: problemAt('query', name),
      });
    }
  });

  test('the bounds are allowed, and an empty query is none', async () => {
    const { service, admin } = await shared();
    const { token } = admin;
    for (const path of [`${PRIVATE}?page=1&page_size=1`, `${PRIVATE}?page_size=200`, `${PRIVATE}?`]) {
      expect((await send(service, `GET ${path}`, { token })).status).toBe(200);
    }
    for (const path of [`${ACCESS}?limit=1&includeRevoked=true`, `${ACCESS}?limit=200&includeRevoked=false`]) {
      expect((await send(service, `GET ${path}`, { token })).status).toBe(200);
    }
  });
});

describe('what the contract does not name is refused', () => {
  const shared = shareService();
  const members = [
    'expiresAt',
    'owner_id',
    'userId',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'Name',
    '',
  ];
  test.each(members)('a body with the member %j', async (member) => {
    const { service, admin } = await shared();
    const { token } = admin;
    const unknown = `${JSON.stringify(member)}:{"expiresInDays":1,"name":"b"}`;
    await expectRefusal(service, () => send(service, `POST ${ACCESS}`, { token, body: `{"name":"a",${unknown}}` }), {
      status: 422,
      body: { detail: [{ loc: ['body', member], msg: ANY_STRING, type: 'extra_forbidden' }] },
    });
    const body = `{"name":"a","expiration_time":"${NEXT_YEAR}",${unknown}}`;
    const answer = await expectRefusal(service, () => send(service, `POST ${PRIVATE}`, { token, body }), {
      status: 400,
    });
    // An empty name names no field.
    expect(Object.entries(answer.body as object)).toEqual([[member || 'non_field_errors', SOME_MESSAGES]]);
  });

  test('a member by way of __proto__ is no member', async () => {
    const { service, admin } = await shared();
    const body = '{"__proto__":{"name":"a"}}';
    const { body: problems } = await expectRefusal(
      service,
      () => send(service, `POST ${ACCESS}`, { token: admin.token, body }),
      { status: 422 },
    );
    const { detail } = problems as { detail: { loc: string[] }[] };
    expect(detail.map(({ loc }) => loc.join('.')).sort()).toEqual(['body.__proto__', 'body.name']);
  });

  const parameters = ['x', 'token', 'Limit', 'page%5B%5D', 'q%5B0%5D', '__proto__', 'constructor', 'toString', ''];
  test.each(parameters)('a query with the parameter %j', async (parameter) => {
    const { service, admin } = await shared();
    const { token } = admin;
    const name = decodeURIComponent(parameter);
    for (const line of [
      `GET ${ACCESS}`,
      `POST ${ACCESS}`,
      `DELETE ${ACCESS}`,
      `GET ${ACCESS}/${UUID}`,
      `DELETE ${ACCESS}/${UUID}`,
      'GET /api/v1/auth/me',
      'POST /api/v1/auth/logout',
      'GET /healthz',
      'GET /openapi.json',
    ] as const) {
      const json = line === `POST ${ACCESS}` ? { name: 'a' } : undefined;
      await expectRefusal(service, () => send(service, `${line}?${parameter}=1`, { token, json }), {
        status: 422,
        body: problemAt('query', name),
      });
    }
    for (const line of [`GET ${PRIVATE}`, `POST ${PRIVATE}`, `DELETE ${PRIVATE}1/`] as const) {
      const json = line === `POST ${PRIVATE}` ? { name: 'a', expiration_time: NEXT_YEAR } : undefined;
      await expectRefusal(service, () => send(service, `${line}?${parameter}=1`, { token, json }), { status: 400 });
    }
  });
});

describe('a parameter that is sent twice is refused', () => {
  const shared = shareService();
  test.each([
    ['with two values', 'limit=1&limit=2', 'limit'],
    ['with one value', 'limit=1&limit=1', 'limit'],
    ['once in percent-encoding', 'limit=1&%6Cimit=2', 'limit'],
    ['as a flag', 'includeRevoked=true&includeRevoked=false', 'includeRevoked'],
    ['as text', 'tokenType=pat&tokenType=session', 'tokenType'],
  ])('%s', async (_, query, name) => {
    const { service, admin } = await shared();
    await expectRefusal(service, () => send(service, `GET ${ACCESS}?${query}`, { token: admin.token }), {
      status: 422,
      body: problemAt('query', name),
    });
  });

  test('by no more of its name than an answer may tell', async () => {
    const { service, admin } = await shared();
    const name = 'a'.repeat(257);
    await expectRefusal(service, () => send(service, `GET ${ACCESS}?${name}=1&${name}=2`, { token: admin.token }), {
      status: 422,
      body: problemAt('query', name.slice(0, 256)),
    });
  });

  test('by field on the other surface', async () => {
    const { service, admin } = await shared();
    await expectRefusal(service, () => send(service, `GET ${PRIVATE}?q=a&q=b`, { token: admin.token }), {
      status: 400,
      body: { q: SOME_MESSAGES },
    });
  });

  test('where two would tell which tokens die', async () => {
    const { service, admin } = await shared();
    const line = `DELETE ${ACCESS}?exclude_current=true&exclude_current=false` as const;
    await expectRefusal(service, () => send(service, line, { token: admin.token }), {
      status: 422,
      body: problemAt('query', 'exclude_current'),
    });
  });
});

test.each(['%', '%zz', '%ff', '%c3%28', '%ed%a0%80'])(
  'a query that is not UTF-8 in percent-encoding, %s, is refused',
  async (q) => {
    const service = await startService();
    const { token } = await service.admin();
    await expectRefusal(service, () => send(service, `GET ${PRIVATE}?q=${q}`, { token }), { status: 400 });
    await expectRefusal(service, () => send(service, `GET ${ACCESS}?cursor=${q}`, { token }), { status: 422 });
  },
);

test.each(['%00', 'a%00b', '%0A', '%1B', '%7F'])('a search for a control character, %s, is refused', async (q) => {
  const service = await startService();
  const { token } = await service.admin();
  await expectRefusal(service, () => send(service, `GET ${PRIVATE}?q=${q}`, { token }), {
    status: 400,
    body: { q: SOME_MESSAGES },
  });
});

test('a uuid is found in any letter case', async () => {
  const { admin } = await startService();
  const { client } = await admin();
  const { token } = await answered(createAccessToken({ client, body: { name: 'a' } }));
  const mixed = token.id.replace(/[a-f]/, (letter) => letter.toUpperCase());
  for (const token_id of [token.id, mixed, token.id.toUpperCase()]) {
    expect(await answered(getAccessToken({ client, path: { token_id } }))).toEqual(token);
  }
});
