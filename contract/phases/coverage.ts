import { type CaseSender, createCaseSender } from '../case-sender.js';
import { boundariesOf } from '../cases/boundaries.js';
import { shareOf, turnsOf } from '../cases/candidate.js';
import { practice, promises } from '../checks/practice.js';
import type { Context } from '../context.js';
import type { Json } from '../document/json.js';
import { isUnsafe, type Operation, type Parameter } from '../document/model.js';
import { branches, flatten, typesOf } from '../document/schema.js';
import type { Draft } from '../http/draft.js';
import { fillTemplate } from '../http/template.js';
import type { Run } from '../run.js';
import { type Case, interleaved } from './case.js';
import { bodyCases } from './coverage-body.js';
import { createSmallPage } from './small-page.js';

/** Cases of an operation in its first round; each further round has twice as many. */
const FIRST_ROUND = 12;

/** The cases of an operation that remain, and the bytes of the requests that were sent. */
interface Begun {
  sender: CaseSender;
  cases: Iterator<Case>;
  round: number;
  sent: Set<string>;
}

/**
 * Creates a function that sends one request for each limit of each keyword; the rest of the request is valid. Each call
 * sends one round of cases, so that no operation uses the time of the others. It resolves with false while cases
 * remain.
 */
export function createCoverage(): (context: Context, operation: Operation) => Promise<boolean> {
  const begun = new Map<string, Begun>();
  return async (context, operation) => {
    let known = begun.get(operation.id);
    if (known === undefined) {
      const sender = await createCaseSender(context, operation, 'coverage');
      if (sender === undefined) return true;
      known = { sender, cases: casesOf(context.run, sender, operation), round: FIRST_ROUND, sent: new Set() };
      begun.set(operation.id, known);
    }
    const isDone = await sendRound(context, known);
    if (isDone) return true;
    known.round *= 2;
    return false;
  };
}

/** Sends as many cases as the round has. Resolves with true if none remain. */
async function sendRound({ run }: Context, { sender, cases, round, sent }: Begun): Promise<boolean> {
  const { operation } = sender.base;
  let waiting: (() => Promise<unknown>)[] = [];
  const sendWaiting = async () => {
    const works = waiting;
    waiting = [];
    await run.inOrder(works);
  };
  for (let left = round; left > 0; left--) {
    if (!sender.isSteady) await sendWaiting();
    const next = cases.next();
    if (next.done === true) {
      await sendWaiting();
      return true;
    }
    const draft = next.value.change(sender.base);
    const { method, target, headers, body } = run.wireOf(draft);
    const bytes = JSON.stringify([method, target, headers, body && Buffer.from(body).toString('latin1')]);
    if (sent.has(bytes)) continue;
    sent.add(bytes);
    const { base } = sender;
    const { change, beside, ...info } = next.value;
    waiting.push(() => sendCase(run, sender, info, (now) => (now === base ? draft : change(now)), beside));
    // After a change the next valid request may have to be another one.
    if (isUnsafe(operation) && run.judgeRequest(draft).kind !== 'invalid') await sendWaiting();
  }
  await sendWaiting();
  return false;
}

async function sendCase(
  { record }: Run,
  sender: CaseSender,
  info: Omit<Case, 'change' | 'beside'>,
  change: Case['change'],
  beside: Case['beside'],
): Promise<void> {
  const exchange = await sender.send(info, change);
  if (beside === undefined || exchange?.answer?.status !== beside.status) return;
  const plain = await sender.send({ name: `${info.name}: the valid request` }, (base) => base);
  const findings = plain?.answer === undefined ? [] : beside.check(plain.answer);
  for (const finding of findings) record.fail({ ...info, phase: 'coverage' }, exchange, finding);
}

function* casesOf(run: Run, sender: CaseSender, operation: Operation): Generator<Case> {
  yield { name: 'only what is required', change: (base) => base };
  yield { name: 'everything that is documented', change: () => sender.full };
  const turns = turnsOf(operation.parameters.map(({ in: place, schema }) => ({ place, schema }) as unknown as Json));
  const parts = operation.parameters.map((parameter, index) => parameterCases(run, sender, parameter, turns[index]));
  const smaller = createSmallPage(run, operation);
  for (const { change, ...info } of interleaved([
    ...parts,
    queryCases(run, operation),
    bodyCases(run, sender, operation),
  ]))
    yield { ...info, change: (base) => change(smaller(base)) };
}

function* parameterCases(
  run: Run,
  sender: CaseSender,
  parameter: Parameter,
  { turn, places } = { turn: 0, places: 1 },
): Generator<Case> {
  const { name, in: place, required } = parameter;
  const sample = sender.full[place][name] ?? 'a';
  const label = `${place} ${name}`;
  const types = new Set(branches(run.spec.requests, parameter.schema).flatMap(typesOf));
  const isText = types.size === 1 && types.has('string');
  const candidates = boundariesOf(run.spec.requests, parameter.schema, name, sample);
  for (const { value, note } of shareOf(candidates, turn, places)) {
    // A parameter cannot express null, and an object only in a style of its own.
    if (value === null || (typeof value === 'object' && !Array.isArray(value))) continue;
    if (place === 'path' && value === '') continue;
    // On the wire the value is a text anyway.
    if (isText && typeof value !== 'string') continue;
    if (typeof value === 'string' && value.length > 2_000) continue;
    yield { name: `${label}: ${note}`, change: (base) => put(base, parameter, value) };
  }
  if (required && place !== 'path') {
    yield {
      name: `${label}: missing`,
      change: (base) => ({
        ...base,
        [place]: Object.fromEntries(Object.entries(base[place]).filter(([other]) => other !== name)),
      }),
    };
  }
  if (place === 'path' && flatten(run.spec.requests, parameter.schema).format === 'uuid')
    yield* uuidCases(run, parameter);
  if (place !== 'query' || Array.isArray(sample)) return;
  const again = `${encodeURIComponent(name)}=${encodeURIComponent(typeof sample === 'string' ? sample : JSON.stringify(sample))}`;
  yield {
    name: `${label}: twice`,
    check: onlyKnown(run),
    change: (base) => ({ ...put(base, parameter, sample), rawQuery: again }),
  };
  yield {
    name: `${label}: malformed percent-encoding`,
    change: (base) => ({ ...base, rawQuery: `${encodeURIComponent(name)}=%E0%A4%A` }),
  };
}

/** The id of the request's own thing in forms of a uuid that few requests have. */
function* uuidCases({ options }: Run, parameter: Parameter): Generator<Case> {
  const own = (base: Draft, form: (id: string) => string) => {
    const id = base.path[parameter.name];
    return typeof id === 'string' ? put(base, parameter, form(id)) : base;
  };
  const label = `path ${parameter.name}`;
  yield { name: `${label}: its own id without hyphens`, change: (base) => own(base, (id) => id.replaceAll('-', '')) };
  if (!promises(options, 'uuid-case')) return;
  yield {
    name: `${label}: its own id in capitals`,
    change: (base) => own(base, (id) => id.toUpperCase()),
    // Where nothing could be created, the request has an id that nobody has.
    beside: {
      status: 404,
      check: ({ status }) =>
        status === 404
          ? []
          : [
              practice(
                options,
                'uuid-case',
                'acceptance',
                'an id in capitals is not found',
                'the thing, as with small letters',
              ),
            ],
    },
  };
}

function put(base: Draft, { in: place, name }: Parameter, value: Json): Draft {
  return { ...base, [place]: { ...base[place], [name]: value } };
}

/** Checks that a request is rejected whose query has a parameter too many, if `laws.practices` promises it. */
function onlyKnown({ options }: Run): NonNullable<Case['check']> {
  return ({ status }) =>
    status >= 400 || !promises(options, 'unknown-parameters')
      ? []
      : [
          practice(
            options,
            'unknown-parameters',
            'refusal',
            `an unknown or repeated parameter gets ${String(status)}`,
            '400 or 422',
          ),
        ];
}

/** The other usual spelling of a name: `pageSize` for `page_size`, and `page_size` for `pageSize`. */
function respelt(name: string): string {
  return name.includes('_')
    ? name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function* queryCases(run: Run, operation: Operation): Generator<Case> {
  yield {
    name: 'query: an unknown parameter',
    check: onlyKnown(run),
    change: (base) => ({ ...base, rawQuery: 'unknown_parameter=1' }),
  };
  const names = new Set(operation.parameters.map(({ name }) => name));
  for (const { name, in: place } of promises(run.options, 'unknown-parameters') ? operation.parameters : []) {
    const other = respelt(name);
    if (place === 'query' && !names.has(other))
      yield { name: `query: ${other}`, check: onlyKnown(run), change: (base) => ({ ...base, rawQuery: `${other}=1` }) };
  }
  const odd = '__proto__=1&constructor=2&&=&';
  yield { name: 'query: __proto__ and empty parts', change: (base) => ({ ...base, rawQuery: odd }) };
  if (isUnsafe(operation)) return;
  for (const [note, segment] of [
    ['malformed percent-encoding', '%E0%A4%A'],
    ['NUL', '%00'],
    ['an encoded slash', 'a%2Fb'],
  ] as const) {
    if (!operation.path.includes('{')) break;
    const rawPath = fillTemplate(operation.path, segment);
    yield { name: `path: ${note}`, expectation: 'any', change: (base) => ({ ...base, rawPath }) };
  }
}
