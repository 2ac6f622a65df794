import { boundariesOf } from '../cases/boundaries.js';
import { pathText, slotsOf, valueAt, withValue } from '../cases/slots.js';
import type { Context } from '../context.js';
import type { Draft } from '../http/draft.js';
import { toForm } from '../http/encode.js';
import { isObject, type Json } from '../spec/json.js';
import { isUnsafe, type Operation, type Parameter, type RequestBody } from '../spec/model.js';
import { createStage, type Stage } from '../stage.js';

/** Small enough to be sent whole before a server that refuses it closes the connection. */
const LARGE = 131_072;

const bytes = (text: string) => new TextEncoder().encode(text);

/** Sends a request for every edge of every keyword, one at a time, the rest of the request being good. */
export async function runCoverage(context: Context, operation: Operation): Promise<void> {
  const stage = await createStage(context, operation, 'coverage');
  if (stage === undefined) return;
  await stage.send({ name: 'everything that is required' }, (base) => base);
  await stage.send({ name: 'everything that is documented' }, () => stage.full);
  for (const parameter of operation.parameters) {
    if (context.run.outOfTime()) return;
    await coverParameter(context, stage, parameter);
  }
  await coverQuery(stage, operation);
  if (operation.body) await coverBody(context, stage, operation);
}

async function coverParameter({ run }: Context, stage: Stage, parameter: Parameter): Promise<void> {
  const { name, in: place, required } = parameter;
  const sample = stage.full[place][name] ?? 'a';
  const label = `${place} ${name}`;
  for (const { value, note } of boundariesOf(run.spec.requests, parameter.schema, name, sample)) {
    // What has no form of its own in a parameter would say something else.
    if (value === null || (typeof value === 'object' && !Array.isArray(value))) continue;
    if (place === 'path' && value === '') continue;
    if (typeof value === 'string' && value.length > 2_000) continue;
    await stage.send({ name: `${label}: ${note}` }, (base) => put(base, parameter, value));
  }
  if (required && place !== 'path') {
    await stage.send({ name: `${label}: missing` }, (base) => ({
      ...base,
      [place]: Object.fromEntries(Object.entries(base[place]).filter(([other]) => other !== name)),
    }));
  }
  if (place !== 'query' || Array.isArray(sample)) return;
  const again = `${encodeURIComponent(name)}=${encodeURIComponent(typeof sample === 'string' ? sample : JSON.stringify(sample))}`;
  await stage.send({ name: `${label}: twice` }, (base) => ({ ...put(base, parameter, sample), rawQuery: again }));
  await stage.send({ name: `${label}: malformed percent-encoding` }, (base) => ({
    ...base,
    rawQuery: `${encodeURIComponent(name)}=%E0%A4%A`,
  }));
}

function put(base: Draft, { in: place, name }: Parameter, value: Json): Draft {
  return { ...base, [place]: { ...base[place], [name]: value } };
}

async function coverQuery(stage: Stage, operation: Operation): Promise<void> {
  await stage.send({ name: 'query: an unknown parameter' }, (base) => ({ ...base, rawQuery: 'unknown_parameter=1' }));
  await stage.send({ name: 'query: __proto__' }, (base) => ({ ...base, rawQuery: '__proto__=1&constructor=2' }));
  await stage.send({ name: 'query: empty parts' }, (base) => ({ ...base, rawQuery: '&&=&' }));
  if (isUnsafe(operation)) return;
  for (const [note, segment] of [
    ['malformed percent-encoding', '%E0%A4%A'],
    ['NUL', '%00'],
    ['an encoded slash', 'a%2Fb'],
  ] as const) {
    if (!operation.path.includes('{')) break;
    const rawPath = operation.path.replace(/\{[^}]+\}/g, segment);
    await stage.send({ name: `path: ${note}`, expectation: 'any' }, (base) => ({ ...base, rawPath }));
  }
}

async function coverBody(context: Context, stage: Stage, operation: Operation): Promise<void> {
  const { run } = context;
  const { body } = operation;
  if (body === undefined) return;
  const document = run.spec.requests;
  // First, for where a request is a guess at a secret there are but a few.
  if (operation.answers.some(({ status }) => status === '413')) await coverSize(stage, body.kind);
  if (stage.full.body !== undefined) {
    for (const slot of slotsOf(document, body.schema)) {
      if (run.outOfTime()) return;
      const label = `body ${pathText(slot.path)}`;
      // On the smallest body where the place is in it, else on the fullest.
      const on = (base: Draft) =>
        (valueAt(base.body, slot.path.slice(0, -1)) === undefined ? stage.full.body : base.body) ?? null;
      const sample = valueAt(stage.full.body, slot.path) ?? 'a';
      for (const { value, note } of boundariesOf(document, slot.schema, String(slot.path.at(-1)), sample)) {
        // A form has texts alone; what else they stand for is the same text again.
        if (body.kind === 'form' && typeof value === 'object') continue;
        await stage.send({ name: `${label}: ${note}` }, (base) => ({
          ...base,
          body: withValue(on(base), slot.path, value),
        }));
      }
      if (slot.path.at(-1) !== 0) {
        await stage.send({ name: `${label}: missing` }, (base) => ({
          ...base,
          body: withValue(stage.full.body ?? on(base), slot.path, undefined),
        }));
      }
      if (isObject(sample)) {
        await stage.send({ name: `${label}: an unknown member` }, (base) => ({
          ...base,
          body: withValue(stage.full.body ?? on(base), slot.path, { ...sample, unknown_member: 1 }),
        }));
      }
    }
    for (const name of ['unknown_member', '__proto__', 'constructor']) {
      if (!isObject(stage.base.body)) break;
      await stage.send({ name: `body: the unknown member ${name}` }, (base) => {
        const text = JSON.stringify(base.body).replace(
          /\}$/,
          `${JSON.stringify(base.body) === '{}' ? '' : ','}"${name}":1}`,
        );
        return body.kind === 'json'
          ? { ...base, rawBody: bytes(text) }
          : { ...base, body: withValue(base.body ?? {}, [name], '1') };
      });
    }
    for (const { value, note } of boundariesOf(document, body.schema, '', stage.base.body ?? {})) {
      if (body.kind === 'json') await stage.send({ name: `body: ${note}` }, (base) => ({ ...base, body: value }));
    }
  }
  await coverMediaTypes(stage, body.kind);
  if (body.kind === 'json') await coverJson(stage);
  if (body.kind === 'form') await coverForm(stage);
}

/** Bodies of another kind than the documented one, each a good one of its kind. */
async function coverMediaTypes(stage: Stage, kind: RequestBody['kind']): Promise<void> {
  await stage.send({ name: 'body: missing' }, (base) => ({ ...base, body: undefined }));
  await stage.send({ name: 'body: empty' }, (base) => ({ ...base, rawBody: bytes('') }));
  for (const contentType of ['text/plain', 'application/xml']) {
    await stage.send({ name: `body: the media type ${contentType}` }, (base) => ({ ...base, contentType }));
  }
  await stage.send({ name: 'body: no media type' }, (base) => ({ ...base, contentType: null }));
  if (kind !== 'json') {
    await stage.send({ name: 'body: JSON' }, (base) => ({
      ...base,
      contentType: 'application/json',
      rawBody: bytes(JSON.stringify(base.body ?? {})),
    }));
  }
  if (kind !== 'form') {
    await stage.send({ name: 'body: a form' }, (base) => ({
      ...base,
      contentType: 'application/x-www-form-urlencoded',
      rawBody: bytes(toForm(isObject(base.body) ? base.body : {})),
    }));
  }
  await stage.send({ name: 'body: a content encoding that it does not have' }, (base) => ({
    ...base,
    headers: { 'Content-Encoding': 'gzip' },
  }));
}

/** A good body but for its size, which is beyond what many a server takes that documents a limit. */
async function coverSize(stage: Stage, kind: RequestBody['kind']): Promise<void> {
  await stage.send({ name: 'body: very large' }, (base) => {
    const { body } = base;
    if (kind === 'form' && isObject(body))
      return { ...base, rawBody: bytes(toForm({ ...body, padding: 'a'.repeat(LARGE) })) };
    return { ...base, rawBody: bytes(`${JSON.stringify(body ?? {})}${' '.repeat(LARGE)}`) };
  });
}

/** Bodies that are no JSON, or hardly. */
async function coverJson(stage: Stage): Promise<void> {
  const good = JSON.stringify(stage.base.body ?? {});
  for (const [note, rawBody] of [
    ['cut short', bytes(good.slice(0, -1))],
    ['text after its end', bytes(`${good} x`)],
    ['single quotes', bytes("{'name': 1}")],
    ['NaN', bytes('NaN')],
    ['deep nesting', bytes('['.repeat(2_000) + ']'.repeat(2_000))],
    ['a byte order mark', bytes(`\uFEFF${good}`)],
    ['bytes that are not UTF-8', Buffer.concat([bytes('{"name":"'), new Uint8Array([0xc3, 0x28, 0xff]), bytes('"}')])],
    ['UTF-16', Buffer.from(good, 'utf16le')],
  ] as const) {
    await stage.send({ name: `body: ${note}` }, (base) => ({ ...base, rawBody }));
  }
  await stage.send({ name: 'body: another charset' }, (base) => ({
    ...base,
    contentType: 'application/json; charset=iso-8859-1',
  }));
}

/** A form can hardly be malformed: what is odd is a form all the same, which must not make the server fail. */
async function coverForm(stage: Stage): Promise<void> {
  for (const [note, text] of [
    ['malformed percent-encoding', '%E0%A4%A=%zz'],
    ['empty parts', '&&=&='],
    ['names alone', 'a&b'],
    ['__proto__', '__proto__=1&constructor=2'],
  ] as const) {
    await stage.send({ name: `body: ${note}` }, (base) => ({ ...base, rawBody: bytes(text) }));
  }
  await stage.send({ name: 'body: every field twice' }, (base) => {
    const form = toForm(isObject(base.body) ? base.body : {});
    return { ...base, rawBody: bytes(`${form}&${form}`) };
  });
}
