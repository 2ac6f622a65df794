import type { Finding } from '../checks/answer.js';
import type { Context } from '../context.js';
import { textOf } from '../document/json.js';
import { isSecured, type Operation } from '../document/model.js';
import { isOwnCredential } from '../document/names.js';
import type { Answer } from '../http/send.js';
import { templatePattern, writeTemplate } from '../http/template.js';
import type { Run } from '../run.js';

/** The note about a server that answers undeclared methods with 404, as many frameworks do. */
export const UNDECLARED = 'undeclared methods get 404; RFC 9110 recommends 405 with Allow';
const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH'];

/**
 * Sends the methods that the document does not have for a path. The expected answer is 405, whose `Allow` names the
 * documented methods. RFC 9110 only recommends that status (section 9.1), so a 404 is a note.
 */
export async function runMethods(context: Context, path: string): Promise<void> {
  const { run, fixtures, credentials, obstacle } = context;
  const declared = run.spec.operations.filter((operation) => operation.path === path);
  // The request is valid except for its method, so that only the method can cause a rejection.
  const model = declared.find(({ method }) => method === 'GET') ?? declared[0];
  if (model === undefined || !declared.some((operation) => run.operations.includes(operation))) return;
  const base = obstacle(model) === undefined ? await fixtures.base(model, { phase: 'methods' }) : undefined;
  if (base === undefined) return;
  // An undocumented DELETE may end the caller's own credential.
  const caller = isOwnCredential(path) ? await context.throwaway(model, 'methods') : credentials.main;
  if (caller === undefined && isSecured(model)) return;
  const segments = Object.entries(base.path).map(([name, value]) => [name, encodeURIComponent(textOf(value))] as const);
  const concrete = writeTemplate(path, new Map(segments));
  const everything = [...run.spec.operations, ...run.spec.leftOut];
  const methods = everything.filter((operation) => operation.path === path).map(({ method }) => method);
  // `Allow` may also name the methods of another template that matches the same path.
  const elsewhere = METHODS.filter((method) => otherPathTakes(everything, method, path, concrete));
  const undeclared = METHODS.filter((method) => !methods.includes(method) && !elsewhere.includes(method));
  const works = undeclared.map((method) => async () => {
    const name = `the undeclared method ${method}`;
    await run.send(
      { ...credentials.attach(base, caller), method, query: {}, body: undefined },
      {
        phase: 'methods',
        name,
        expectation: 'any',
        outside: true,
        check: (answer) => check(run, answer, name, methods, elsewhere),
      },
    );
  });
  await run.inOrder(works);
}

/** Whether another template with this method matches the path, as `/users/{id}` matches `/users/me`. */
function otherPathTakes(operations: Operation[], method: string, path: string, concrete: string): boolean {
  return operations.some(
    (operation) =>
      operation.path !== path && operation.method === method && templatePattern(operation.path).pattern.test(concrete),
  );
}

function check(
  { options, record }: Run,
  { status, headers }: Answer,
  name: string,
  declared: string[],
  elsewhere: string[],
): Finding[] {
  if (status >= 500) return [];
  const isPromised = options.laws?.practices?.includes('method') === true;
  const severity = isPromised ? 'fault' : 'warning';
  if (status === 404 && !isPromised) {
    record.note(UNDECLARED);
    return [];
  }
  const expected = `405 with Allow: ${declared.join(', ')}`;
  if (status !== 405) {
    const message = `${name} gets ${String(status)}`;
    return [{ check: 'method', message, expected, severity: status < 400 ? 'fault' : severity }];
  }
  const { allow } = headers;
  // RFC 9110 requires a correct Allow (15.5.6), but many frameworks name only the methods of one route, or none.
  if (allow === undefined) return [{ check: 'method', message: '405 comes without Allow', expected, severity }];
  const allowed = allow.split(',').map((method) => method.trim().toUpperCase());
  const missing = declared.filter((method) => !allowed.includes(method));
  // `Allow` may name HEAD and OPTIONS, although the document does not have them.
  const untrue = allowed.filter((method) => ![...declared, ...elsewhere, 'HEAD', 'OPTIONS', ''].includes(method));
  if (missing.length === 0 && untrue.length === 0) return [];
  const faults = [
    ...missing.map((method) => `lacks ${method}`),
    ...untrue.map((method) => `has ${method}, which is not documented`),
  ];
  const message = `Allow ${faults.join(' and ')}`;
  return [{ check: 'method', message, expected, severity }];
}
