import * as fc from 'fast-check';
import { unlikelyIds } from '../cases/unlikely-ids.js';
import type { Finding } from '../checks/answer.js';
import { practice } from '../checks/practice.js';
import type { Context } from '../context.js';
import { isSecured, type Operation, successOf } from '../document/model.js';
import { flatten } from '../document/schema.js';
import type { Exchange } from '../exchange.js';
import type { Draft } from '../http/draft.js';
import type { Answer } from '../http/send.js';
import { UNDECLARED } from './methods.js';

const ANY = { phase: 'methods', expectation: 'any', outside: true } as const;
/** Statuses of a server that does not support a method. */
const UNSERVED = new Set([404, 405, 501]);

/** The options of runs that have reported that HEAD is not served; one warning is enough for all paths. */
const told = new WeakSet<object>();

/** Checks HEAD (as GET, without the body), OPTIONS (a correct `Allow`), and TRACE (does not return the credential). */
export async function runHeads(context: Context, path: string): Promise<void> {
  const { run, fixtures, credentials, obstacle } = context;
  const declared = run.spec.operations.filter((operation) => operation.path === path);
  if (!declared.some((operation) => run.operations.includes(operation))) return;
  const getter = declared.find(({ method }) => method === 'GET');
  const model = getter ?? declared[0];
  if (model === undefined || obstacle(model) !== undefined) return;
  const base = await fixtures.base(model, { phase: 'methods' });
  if (getter !== undefined && !declared.some(({ method }) => method === 'HEAD')) {
    await compareHead(context, base, 'a resource');
    if (isSecured(getter)) await compareHead(context, { ...base, credential: null }, 'a resource without a credential');
    const absent = unknown(context, base);
    if (absent) await compareHead(context, absent, 'a resource that does not exist');
  }
  const bare = { ...base, body: undefined, query: {}, header: {} };
  if (!declared.some(({ method }) => method === 'OPTIONS')) {
    const methods = declared.map(({ method }) => method);
    await run.send(
      { ...bare, method: 'OPTIONS' },
      { ...ANY, name: 'OPTIONS', check: (answer) => checkOptions(context, answer, methods) },
    );
  }
  const canary = `Bearer canary-${'0123456789'.repeat(2)}`;
  await run.send(
    credentials.attach({ ...bare, method: 'TRACE', headers: { 'X-Canary': canary } }, { token: canary, perScheme: {} }),
    { ...ANY, name: 'TRACE', check: (answer) => checkTrace(answer, canary) },
  );
}

/** The request with an id that almost certainly belongs to nothing; undefined if it has none. */
function unknown({ run }: Context, base: Draft): Draft | undefined {
  const parameter = base.operation.parameters.filter(({ in: place }) => place === 'path').at(-1);
  if (parameter === undefined) return undefined;
  const { format, maximum } = flatten(run.spec.requests, parameter.schema);
  const far = fc.sample(unlikelyIds(format), { seed: run.seed + 1, numRuns: 20 });
  const value = [...far, ...(maximum === undefined ? [] : [maximum - (run.seed % 97)])].find((each) => {
    const { pointer } = parameter;
    return pointer === undefined || run.judge.objections('request', pointer, each).length === 0;
  });
  return value === undefined ? undefined : { ...base, path: { ...base.path, [parameter.name]: value } };
}

async function compareHead({ run }: Context, draft: Draft, of: string): Promise<void> {
  const got = await run.send(draft, { phase: 'methods', expectation: 'any', name: `GET of ${of}` });
  const { answer } = got;
  // If the body of GET has no end, many frameworks never send the headers of HEAD.
  if (answer === undefined || answer.status >= 500 || answer.cut !== undefined) return;
  await run.send(
    { ...draft, method: 'HEAD' },
    { ...ANY, name: `HEAD of ${of}`, check: (head) => checkHead(run.options, got, answer, head, of) },
  );
}

function checkHead(
  options: Parameters<typeof practice>[0],
  { draft: { operation } }: Exchange,
  get: Answer,
  head: Answer,
  of: string,
): Finding[] {
  if (head.status >= 500) return [];
  if (head.status !== get.status) {
    const message = `HEAD of ${of} gets ${String(head.status)}, but GET gets ${String(get.status)}`;
    const expected = `${String(get.status)} (RFC 9110, 9.3.2)`;
    if (UNSERVED.has(head.status)) {
      if (told.has(options)) return [];
      told.add(options);
      return [practice(options, 'head', 'head', 'HEAD is not served where GET is', expected)];
    }
    return [{ check: head.status < 300 && get.status === 401 ? 'authentication' : 'head', message, expected }];
  }
  const documented = headersOf(operation).filter((name) => get.headers[name] !== undefined && name !== 'set-cookie');
  return [...new Set(['content-type', 'etag', ...documented])]
    .filter(
      (name) => (get.headers[name] === undefined) !== (head.headers[name] === undefined) || differs(name, get, head),
    )
    .map((name) =>
      practice(
        options,
        'head',
        'head',
        `${name} of HEAD differs from that of GET`,
        `${name}: ${String(get.headers[name])}`,
      ),
    );
}

function differs(name: string, get: Answer, head: Answer): boolean {
  return name === 'content-type' && get.headers[name] !== head.headers[name];
}

function headersOf(operation: Operation): string[] {
  return (successOf(operation)?.headers ?? []).map(({ name }) => name.toLowerCase());
}

function checkOptions({ run }: Context, { status, headers }: Answer, methods: string[]): Finding[] {
  const fail = (message: string, expected = `Allow: ${methods.join(', ')}`) => [
    practice(run.options, 'options', 'head', message, expected),
  ];
  if (status >= 500) return [];
  if (run.options.laws?.practices?.includes('options') !== true) {
    if (status === 404) run.record.note(UNDECLARED);
    // `Allow` of a 405 is checked with the undeclared methods.
    if (status === 404 || status === 405) return [];
  }
  // A 405 with `Allow` answers OPTIONS as well.
  if (status >= 300 && (status !== 405 || headers.allow === undefined))
    return fail(`OPTIONS gets ${String(status)}`, 'a success with Allow');
  const allowed = headers.allow?.split(',').map((method) => method.trim().toUpperCase());
  if (allowed === undefined) return fail('OPTIONS comes without Allow');
  const missing = methods.filter((method) => !allowed.includes(method));
  return missing.length === 0 ? [] : fail(`Allow of OPTIONS lacks ${missing.join(' and ')}`);
}

function checkTrace({ status, text, headers }: Answer, canary: string): Finding[] {
  if (status >= 300 || !`${text}${JSON.stringify(headers)}`.includes(canary)) return [];
  return [
    { check: 'secrets', message: 'the answer to TRACE contains the credential that was sent', expected: '405 or 501' },
  ];
}
