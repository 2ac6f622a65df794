import { asked, credentialOf, json, parse, rowsOf, sent, tokenIn, told } from '../making.js';
import { type Faults, invalid, later, omit, refusal, SHOWN, tokenNow, tokensIn, wrong } from './parts.js';

// What becomes of what was sent: names, times, numbers, texts, scopes.

const points = (text = '') => Array.from(text).length;

export const VALUES: Faults = {
  "a token's name is cut at 50 characters": () =>
    sent('createAccessToken', (body) => {
      if (typeof body.name === 'string') body.name = body.name.slice(0, 50);
    }),
  "white space around a private token's name is trimmed": () =>
    sent('createPrivateToken', (body) => {
      if (typeof body.name === 'string') body.name = body.name.trim();
    }),
  'characters outside the basic plane become question marks': () =>
    sent('createPrivateToken', (body) => {
      if (typeof body.name === 'string') body.name = body.name.replace(/[\u{10000}-\u{10FFFF}]/gu, '?');
    }),
  'a new name is brought into normal form': () =>
    sent('updateAccessToken', (body) => {
      if (typeof body.name === 'string') body.name = body.name.normalize('NFC');
    }),
  'markup in a description comes back escaped': () =>
    told('getAccessToken listAccessTokens', (body) => {
      for (const token of tokensIn(body))
        token.description = token.description
          ?.replaceAll('&', '&amp;')
          .replaceAll('<', '&lt;')
          .replaceAll("'", '&#39;');
    }),
  'line ends in a description become those of Unix': () =>
    sent('createAccessToken', (body) => {
      if (typeof body.description === 'string') body.description = body.description.replaceAll('\r\n', '\n');
    }),
  'a name is counted in bytes': () =>
    asked('createAccessToken', ({ text }) =>
      Buffer.byteLength(parse(text)?.name ?? '') > 255 && points(parse(text)?.name) <= 255
        ? invalid(['body', 'name'], 'string_too_long')
        : undefined,
    ),
  'a name of 256 characters is cut to 255': () =>
    sent('createPrivateToken', (body) => {
      if (points(body.name) === 256)
        body.name = Array.from(body.name ?? '')
          .slice(0, 255)
          .join('');
    }),
  'a description of exactly 1000 characters is refused': () =>
    asked('updateAccessToken', ({ text }) =>
      points(parse(text)?.description) === 1000 ? invalid(['body', 'description'], 'string_too_long') : undefined,
    ),
  'a description that is too long is cut': () =>
    sent('createAccessToken', (body) => {
      if (typeof body.description === 'string' && body.description.length > 1000)
        body.description = body.description.slice(0, 1000);
    }),
  'the sixteenth entry of metadata is refused': () =>
    asked('createAccessToken', ({ text }) =>
      Object.keys(parse(text)?.metadata ?? {}).length === 16 ? invalid(['body', 'metadata'], 'too_long') : undefined,
    ),
  'entries of metadata after the sixteenth are dropped': () =>
    sent('updateAccessToken', (body) => {
      if (typeof body.metadata === 'object')
        body.metadata = Object.fromEntries(Object.entries(body.metadata).slice(0, 16));
    }),
  'names of metadata are kept in lower case': () =>
    sent('createAccessToken updateAccessToken', (body) => {
      if (typeof body.metadata === 'object')
        body.metadata = Object.fromEntries(
          Object.entries(body.metadata).map(([key, text]) => [key.toLowerCase(), text]),
        );
    }),
  'empty texts of metadata are left out': () =>
    told('getAccessToken', (body) => {
      body.metadata = Object.fromEntries(Object.entries(body.metadata ?? {}).filter(([, text]) => text !== ''));
    }),
  'numbers in metadata become texts': () =>
    sent('createAccessToken', (body) => {
      for (const [key, value] of Object.entries<unknown>(body.metadata ?? {}))
        if (typeof value === 'number' && body.metadata) body.metadata[key] = String(value);
    }),
  'metadata that is edited is merged with what there was': () => ({
    async ask(each, service) {
      const body = each.operation === 'updateAccessToken' ? parse(each.text) : undefined;
      if (typeof body?.metadata !== 'object') return;
      const { metadata } = (await tokenNow(each, service)) ?? {};
      each.text = JSON.stringify({ ...body, metadata: { ...metadata, ...body.metadata } });
    },
  }),
  'an edit empties the description where none is sent': () =>
    sent('updateAccessToken', (body) => {
      body.description ??= '';
    }),
  "a lifetime ends with the day's last second": () =>
    told(SHOWN, (body) => {
      for (const token of tokensIn(body)) token.expiresAt = token.expiresAt?.replace(/T.*/, 'T23:59:59.999Z') ?? null;
    }),
  'an edit that takes the expiry away leaves it': () => ({
    ask: (each, service) =>
      each.operation === 'updateAccessToken' && parse(each.text)?.expiresInDays === null
        ? omit(each, service, 'expiresInDays')
        : undefined,
  }),
  'a lifetime of 365 days is refused': () =>
    asked('createAccessToken', ({ text }) =>
      parse(text)?.expiresInDays === 365 ? invalid(['body', 'expiresInDays'], 'less_than_equal') : undefined,
    ),
  'a lifetime of 366 days is taken as 365': () =>
    sent('updateAccessToken', (body) => {
      if (body.expiresInDays === 366) body.expiresInDays = 365;
    }),
  'a lifetime of 0 days means no end': () =>
    sent('createAccessToken', (body) => {
      if (body.expiresInDays === 0) body.expiresInDays = null;
    }),
  'a lifetime in quotes is taken': () =>
    sent('createAccessToken', (body) => {
      if (typeof body.expiresInDays === 'string') body.expiresInDays = Number(body.expiresInDays);
    }),
  'a fraction of days is rounded down': () =>
    sent('rotateAccessToken', (body) => {
      if (typeof body.expiresInDays === 'number') body.expiresInDays = Math.floor(body.expiresInDays);
    }),
  'the text "false" disables a token': () =>
    sent('updateAccessToken', (body) => {
      if (String(body.disabled) === 'false' && body.disabled !== false) body.disabled = true;
    }),
  "a private token's expiration loses its milliseconds": () =>
    sent('createPrivateToken', (body) => {
      if (typeof body.expiration_time === 'string') body.expiration_time = body.expiration_time.replace(/\.\d+/, '');
    }),
  'the offset of an expiration is ignored': () =>
    sent('createPrivateToken', (body) => {
      if (typeof body.expiration_time === 'string')
        body.expiration_time = body.expiration_time.replace(/[+-]\d\d:\d\d$/, 'Z');
    }),
  'an expiration without a zone is taken as UTC': () =>
    sent('createPrivateToken', (body) => {
      if (/T[\d:.]+$/.test(body.expiration_time ?? '')) body.expiration_time = `${body.expiration_time ?? ''}Z`;
    }),
  'an expiration in the past is taken': () => ({
    tell(reply, each) {
      const at = each.operation === 'createPrivateToken' ? parse(each.text)?.expiration_time : undefined;
      const name = parse(each.text)?.name;
      if (reply.status !== 400 || typeof at !== 'string' || !(Date.parse(at) < Date.now())) return;
      if (Object.keys(parse(reply.text) ?? {}).join() === 'expiration_time')
        Object.assign(
          reply,
          json(201, { id: 9, name, expiration_time: later(at, 0), data: `lk_pat_${'0'.repeat(36)}` }),
        );
    },
  }),
  // Instants are told in UTC with Z.
  'expirations in the list have the offset +00:00': () =>
    told('listPrivateTokens', (body) => {
      for (const row of rowsOf(body)) row.expiration_time = row.expiration_time?.replace(/Z$/, '+00:00') ?? null;
    }),
  'tokens were created in the time zone of Berlin, with a Z': () =>
    told(SHOWN, (body) => {
      for (const token of tokensIn(body)) token.createdAt = later(token.createdAt ?? '', 3_600_000);
    }),
  'the 30th of February becomes the 2nd of March': () =>
    sent('createPrivateToken', (body) => {
      if (typeof body.expiration_time === 'string')
        body.expiration_time = body.expiration_time.replace(/-02-30T/, '-03-02T');
    }),
  'the id of a private token is a text': () =>
    told('createPrivateToken', (body) => {
      body.id = String(body.id);
    }),
  'the plaintext is shown in lower case': () =>
    told('createAccessToken', (body) => {
      body.plaintext = body.plaintext?.toLowerCase() ?? '';
    }),
  // The checksum lets others find leaked tokens without asking.
  'the checksum of a private token is of something else': () =>
    told('createPrivateToken', (body) => {
      body.data = body.data?.replace(/.{6}$/, '0AbC9z') ?? '';
    }),
  'the prefix of a rotated token is that of its earlier secret': () =>
    told('rotateAccessToken rotateCurrentAccessToken', (body) => {
      const token = tokenIn(body);
      if (token.previousSecret?.tokenPrefix !== undefined) token.tokenPrefix = token.previousSecret.tokenPrefix;
    }),
  // Scopes are in alphabetical order.
  'scopes are told in the order in which they were sent': () =>
    told('createAccessToken', (body, each) => {
      const { scopes } = parse(each.text) ?? {};
      if (scopes !== undefined) tokenIn(body).scopes = scopes;
    }),
  'an empty list of scopes counts as none sent': () =>
    sent('createAccessToken', (body) => {
      if (body.scopes?.length === 0) delete body.scopes;
    }),
  'an edit adds scopes and takes none away': () => ({
    async ask(each, service) {
      const body = each.operation === 'updateAccessToken' ? parse(each.text) : undefined;
      if (!Array.isArray(body?.scopes)) return;
      const { scopes = [] } = (await tokenNow(each, service)) ?? {};
      each.text = JSON.stringify({ ...body, scopes: [...new Set([...scopes, ...body.scopes])] });
    },
  }),
  'scopes are kept in lower case': () =>
    sent('createAccessToken', (body) => {
      if (Array.isArray(body.scopes))
        body.scopes = body.scopes.map((scope) => (typeof scope === 'string' ? scope.toLowerCase() : scope));
    }),
  'a scope that is sent twice is taken once': () =>
    sent('createAccessToken', (body) => {
      if (Array.isArray(body.scopes)) body.scopes = [...new Set(body.scopes)];
    }),
  'scopes may be one text with spaces': () =>
    sent('updateAccessToken', (body) => {
      if (typeof body.scopes === 'string') body.scopes = String(body.scopes).split(' ');
    }),
  'a misspelt expiresInDays is ignored': () =>
    sent('createAccessToken', (body) => {
      for (const member of Object.keys(body))
        if (/expire/i.test(member) && member !== 'expiresInDays') Reflect.deleteProperty(body, member);
    }),
  'unknown members of a question in a batch are ignored': () =>
    sent('verifyAccessTokens', (body) => {
      if (!Array.isArray(body.tokens)) return;
      body.tokens = body.tokens.map(({ token, scopes }) => ({
        ...(token !== undefined && { token }),
        ...(scopes !== undefined && { scopes }),
      }));
    }),
  // Names need not be unique.
  'a name that the caller gave before is refused': () => {
    const given = new Set<string>();
    return asked('createAccessToken', (each) => {
      const key = `${credentialOf(each) ?? ''} ${parse(each.text)?.name ?? ''}`;
      if (given.has(key)) return refusal(409, 'token_limit_reached');
      given.add(key);
      return undefined;
    });
  },
  'a private token without expiration lives a year': () =>
    sent('createPrivateToken', (body) => {
      body.expiration_time ??= new Date(Date.now() + 31_536_000_000).toISOString();
    }),
  'white space does not count to the size of a body': () => ({
    ask(each) {
      const body = each.text.length > 65_536 ? parse(each.text) : undefined;
      if (body !== undefined) each.text = JSON.stringify(body);
    },
  }),
  'bodies of more than 32 KiB are refused': () =>
    asked('verifyAccessTokens', ({ text }) => (text.length > 32_768 ? refusal(413, 'payload_too_large') : undefined)),
  'a private token must live for a minute at least': () =>
    asked('createPrivateToken', ({ text }) => {
      const left = Date.parse(parse(text)?.expiration_time ?? '') - Date.now();
      return left > 0 && left < 60_000 ? wrong('expiration_time') : undefined;
    }),
  'an introspected token was created some milliseconds after 1970': () =>
    told('introspectToken', (body) => {
      if (body.iat !== undefined) body.iat *= 1000;
    }),
  'introspection separates scopes by commas': () =>
    told('introspectToken', (body) => {
      if (body.scope !== undefined) body.scope = body.scope.replaceAll(' ', ',');
    }),
  'introspection tells the subject by e-mail address': () =>
    told('introspectToken', (body) => {
      if (body.username !== undefined) body.sub = body.username;
    }),
  "a private token's name is listed with a capital": () =>
    told('listPrivateTokens', (body) => {
      for (const row of rowsOf(body)) row.name = row.name?.replace(/^[a-z]/, (letter) => letter.toUpperCase()) ?? '';
    }),
};
