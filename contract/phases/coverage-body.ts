import type { CaseSender } from '../case-sender.js';
import { boundariesOf } from '../cases/boundaries.js';
import { shareOf, turnsOf } from '../cases/candidate.js';
import { sampleOf } from '../cases/samples.js';
import { pathText, type Slot, slotsOf, valueAt, withValue } from '../cases/slots.js';
import type { Finding } from '../checks/answer.js';
import { practice, promises } from '../checks/practice.js';
import { isObject, type Json } from '../document/json.js';
import type { Operation, RequestBody } from '../document/model.js';
import { toForm } from '../http/bodies.js';
import type { Draft } from '../http/draft.js';
import type { Answer } from '../http/send.js';
import type { Run } from '../run.js';
import { type Case, interleaved } from './case.js';

/** Bytes added to a body. Small enough that the body is sent before a server that rejects it closes the connection. */
const LARGE = 131_072;

const bytes = (text: string) => new TextEncoder().encode(text);

/** Bodies at the limits of the schema, of other media types, missing, and malformed. */
export function* bodyCases(run: Run, sender: CaseSender, operation: Operation): Generator<Case> {
  const { body } = operation;
  if (body === undefined) return;
  // First, because an operation that takes a secret gets only a few requests.
  if (operation.answers.some(({ status }) => status === '413')) yield* sizeCases(run, body.kind);
  const slots = sender.full.body === undefined ? [] : slotsOf(run.spec.requests, body.schema);
  const filled = withItems(run, sender, slots);
  const turns = turnsOf(slots.map(({ schema }) => schema as Json));
  yield* interleaved([
    ...slots.map((slot, index) => slotCases(run, sender, body, slot, filled, turns[index])),
    wholeCases(run, sender, body),
    mediaTypeCases(run, body.kind),
    ...(body.kind === 'json' ? [jsonCases(sender)] : []),
    ...(body.kind === 'form' ? [formCases()] : []),
  ]);
}

/** The body with all optional members, and with an item in each empty list. */
function withItems(run: Run, { full }: CaseSender, slots: Slot[]): Json | undefined {
  let filled = full.body;
  for (const { path, schema } of slots) {
    if (filled === undefined || typeof path.at(-1) !== 'number' || valueAt(filled, path) !== undefined) continue;
    const item = sampleOf(run.spec.requests, schema, { seed: run.seed, accepts: () => true });
    const body = item === undefined ? undefined : withValue(filled, path, item);
    if (body !== undefined && run.judgeRequest({ ...full, body }).kind === 'valid') filled = body;
  }
  return filled;
}

function* slotCases(
  run: Run,
  sender: CaseSender,
  body: RequestBody,
  { path, schema }: Slot,
  filled: Json | undefined,
  { turn, places } = { turn: 0, places: 1 },
): Generator<Case> {
  const label = `body ${pathText(path)}`;
  // The smallest of the bodies that contains the place.
  const on = (base: Draft) =>
    [base.body, sender.full.body].find((each) => valueAt(each, path.slice(0, -1)) !== undefined) ?? filled ?? null;
  const sample = valueAt(filled, path) ?? 'a';
  const candidates = boundariesOf(run.spec.requests, schema, String(path.at(-1)), sample);
  for (const { value, note } of shareOf(candidates, turn, places)) {
    // A form cannot contain lists or objects as such.
    if (body.kind === 'form' && typeof value === 'object') continue;
    yield { name: `${label}: ${note}`, change: (base) => ({ ...base, body: withValue(on(base), path, value) }) };
  }
  const changed = (base: Draft, value: Json | undefined): Draft => ({
    ...base,
    body: withValue(filled ?? on(base), path, value),
  });
  if (path.at(-1) !== 0) yield { name: `${label}: missing`, change: (base) => changed(base, undefined) };
  if (!isObject(sample)) return;
  yield { name: `${label}: an unknown member`, change: (base) => changed(base, { ...sample, unknown_member: 1 }) };
}

/** The body as a whole: undocumented members, and values of other types. */
function* wholeCases(run: Run, sender: CaseSender, body: RequestBody): Generator<Case> {
  const { body: good } = sender.base;
  if (sender.full.body === undefined) return;
  for (const name of isObject(good) ? ['unknown_member', '__proto__', 'constructor'] : []) {
    const change = (base: Draft): Draft => {
      const text = JSON.stringify(base.body);
      if (body.kind !== 'json') return { ...base, body: withValue(base.body ?? {}, [name], '1') };
      return { ...base, rawBody: bytes(text.replace(/\}$/, `${text === '{}' ? '' : ','}"${name}":1}`)) };
    };
    yield { name: `body: the unknown member ${name}`, change };
  }
  if (body.kind !== 'json' && body.kind !== 'text') return;
  for (const { value, note } of boundariesOf(run.spec.requests, body.schema, '', good ?? {}))
    if (body.kind === 'json' || typeof value === 'string')
      yield { name: `body: ${note}`, change: (base) => ({ ...base, body: value }) };
}

/** Missing bodies, and well-formed bodies of other media types. */
function* mediaTypeCases(run: Run, kind: RequestBody['kind']): Generator<Case> {
  const check = ({ status }: Answer): Finding[] =>
    !isAboutBody(status) || !promises(run.options, 'media-type')
      ? []
      : [
          practice(
            run.options,
            'media-type',
            'refusal',
            `a body of an undocumented media type gets ${String(status)}`,
            '415',
          ),
        ];
  yield { name: 'body: missing', change: (base) => ({ ...base, body: undefined }) };
  yield { name: 'body: empty', change: (base) => ({ ...base, rawBody: bytes('') }) };
  for (const contentType of ['text/plain', 'application/xml']) {
    yield { name: `body: the media type ${contentType}`, check, change: (base) => ({ ...base, contentType }) };
  }
  yield { name: 'body: no media type', check, change: (base) => ({ ...base, contentType: null }) };
  if (kind !== 'json') {
    yield {
      name: 'body: JSON',
      change: (base) => ({
        ...base,
        contentType: 'application/json',
        rawBody: bytes(JSON.stringify(base.body ?? {})),
      }),
    };
  }
  if (kind !== 'form') {
    yield {
      name: 'body: a form',
      change: (base) => ({
        ...base,
        contentType: 'application/x-www-form-urlencoded',
        rawBody: bytes(toForm(isObject(base.body) ? base.body : {})),
      }),
    };
  }
  yield {
    name: 'body: a Content-Encoding that it does not have',
    change: (base) => ({
      ...base,
      headers: { 'Content-Encoding': 'gzip' },
    }),
  };
}

/** A body that is valid except for its size, for operations that document 413. */
function* sizeCases({ options }: Run, kind: RequestBody['kind']): Generator<Case> {
  const { bodyBytes } = options.laws ?? {};
  for (const size of bodyBytes === undefined || kind !== 'json' ? [] : [bodyBytes, bodyBytes + 1]) {
    const isFit = size === bodyBytes;
    yield {
      name: `body: ${String(size)} bytes`,
      expectation: 'any',
      change: (base) => ({ ...base, rawBody: bytes(JSON.stringify(base.body ?? {}).padEnd(size)) }),
      check: ({ status }) =>
        (isFit ? status !== 413 : !isAboutBody(status))
          ? []
          : [
              {
                check: 'law',
                message: `by a law: a body of ${String(size)} bytes gets ${String(status)}`,
                expected: isFit ? 'no 413' : '413',
              },
            ],
    };
  }
  yield {
    name: 'body: very large',
    change: (base) => {
      const { body } = base;
      if (kind === 'form' && isObject(body))
        return { ...base, rawBody: bytes(toForm({ ...body, padding: 'a'.repeat(LARGE) })) };
      return { ...base, rawBody: bytes(`${JSON.stringify(body ?? {})}${' '.repeat(LARGE)}`) };
    },
  };
}

/** Bodies that are not JSON, or that few servers read as JSON. */
function* jsonCases(sender: CaseSender): Generator<Case> {
  const good = JSON.stringify(sender.base.body ?? {});
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
    yield { name: `body: ${note}`, change: (base) => ({ ...base, rawBody }) };
  }
  yield {
    name: 'body: another charset',
    change: (base) => ({
      ...base,
      contentType: 'application/json; charset=iso-8859-1',
    }),
  };
}

/** Unusual forms. Hardly any text is a malformed form, but none may make the server fail. */
function* formCases(): Generator<Case> {
  for (const [note, text] of [
    ['malformed percent-encoding', '%E0%A4%A=%zz'],
    ['empty parts', '&&=&='],
    ['names without values', 'a&b'],
    ['__proto__', '__proto__=1&constructor=2'],
  ] as const) {
    yield { name: `body: ${note}`, change: (base) => ({ ...base, rawBody: bytes(text) }) };
  }
  yield {
    name: 'body: every field twice',
    change: (base) => {
      const form = toForm(isObject(base.body) ? base.body : {});
      return { ...base, rawBody: bytes(`${form}&${form}`) };
    },
  };
}

/** Whether a status accepts the body, or rejects it for its content. A server may reject the caller first. */
function isAboutBody(status: number): boolean {
  return status < 300 || status === 400 || status === 422;
}
