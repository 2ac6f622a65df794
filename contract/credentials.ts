import { sampleOf } from './cases/samples.js';
import { isObject, type Json } from './document/json.js';
import { isSecured, type Operation, type Spec } from './document/model.js';
import { isPasswordName, isSecretName } from './document/names.js';
import { branches, typesOf } from './document/schema.js';
import { CouldNotRun } from './errors.js';
import type { Exchange } from './exchange.js';
import { readGiven } from './given.js';
import { type Credential, type Draft, emptyDraft } from './http/draft.js';
import type { Identity } from './options.js';
import type { Run } from './run.js';

/** The run's own credential, and how requests authenticate. */
export interface Credentials {
  /** The run's own credential; undefined if neither a token nor a login was given. */
  main: Credential | undefined;
  /** A request whose answer shows whether a credential is valid; undefined if the document has none. */
  probeWith(credential: Credential): Draft | undefined;
  /**
   * The draft with the credential, by default the run's own, sent in the first supported way of the operation. Without
   * a supported way, or without a credential, the draft has none.
   */
  attach(draft: Draft, credential?: Credential): Draft;
  /** The operation's supported ways to authenticate, each a list of security schemes. */
  alternatives(operation: Operation): string[][];
  /** The `alternatives` for which the run has a credential. */
  ways(operation: Operation): string[][];
  /** Logs in, by default as the run's own user. Resolves with undefined if there is no login, or if it fails. */
  logIn(as?: Identity['login']): Promise<{ credential: Credential; exchange: Exchange } | undefined>;
  /** Whether the server accepts a credential; `unknown` if the document has no operation that shows it. */
  stateOf(credential: Credential): Promise<'accepted' | 'rejected' | 'no answer' | 'unknown'>;
  /** Whether a text is a credential: the server accepts it, and rejects another text. */
  isCredential(text: string): Promise<boolean>;
  /** The body members of a login that contain the user and the password; undefined for any other operation. */
  loginFields(operation: Operation): { user: string; password: string } | undefined;
}

/** Reads the credentials of the run, or logs in. Rejects with `CouldNotRun` if the server rejects one of them. */
export async function createCredentials(run: Run): Promise<Credentials> {
  const { spec, options, secrets } = run;
  const given = readGiven(options, spec, secrets);
  const { login } = given;
  const loginOperation = findLogin(spec);
  const perScheme = given.credential?.perScheme ?? {};
  const alternatives = ({ security }: Operation) =>
    security.filter(
      (schemes) =>
        schemes.length > 0 &&
        schemes.every((name) => (spec.schemes.get(name)?.kind ?? 'unsupported') !== 'unsupported'),
    );

  const probes = findProbes(spec).filter((each) => alternatives(each).length > 0 && !spec.broken.has(each.id));
  let [probe] = probes;

  function attach(draft: Draft, credential: Credential | undefined = credentials.main): Draft {
    const ways = alternatives(draft.operation);
    const schemes = ways.find((way) => credential && has(credential, way)) ?? ways[0];
    return { ...draft, credential: schemes && credential ? { with: credential, schemes } : null };
  }

  const probeWith = (credential: Credential) => probe && attach(drafted(spec, probe), credential);

  async function stateOf(credential: Credential): ReturnType<Credentials['stateOf']> {
    const draft = probeWith(credential);
    if (draft === undefined) return 'unknown';
    const { answer } = await run.attempt(draft, WHETHER_VALID);
    if (answer === undefined) return 'no answer';
    return answer.status === 401 || answer.status === 403 ? 'rejected' : 'accepted';
  }

  let discerning: Promise<boolean> | undefined;
  async function isCredential(text: string): Promise<boolean> {
    discerning ??= stateOf({ token: 'no-such-credential-0000', perScheme: {} }).then((state) => state === 'rejected');
    return (await discerning) && (await stateOf({ token: text, perScheme: {} })) === 'accepted';
  }

  async function logIn(as = login): ReturnType<Credentials['logIn']> {
    const fields = loginOperation && loginFields(spec, loginOperation);
    if (!as || !loginOperation || !fields) return undefined;
    const body = { [fields.user]: as.username, [fields.password]: as.password };
    const exchange = await run.send({ ...emptyDraft(loginOperation), body }, { phase: 'setup', name: 'log in' });
    for (const token of tokensIn(exchange.value)) {
      const credential = { token, perScheme };
      if ((await stateOf(credential)) !== 'rejected') return { credential, exchange };
    }
    return undefined;
  }

  const credentials: Credentials = {
    main: given.credential,
    probeWith,
    attach,
    alternatives,
    ways: (operation) => alternatives(operation).filter((way) => credentials.main && has(credentials.main, way)),
    logIn,
    stateOf,
    isCredential,
    loginFields: (operation) => loginFields(spec, operation),
  };
  if (credentials.main === undefined && login) {
    if (loginOperation === undefined) throw new CouldNotRun('the document has no operation to log in with');
    const session = await logIn();
    if (session === undefined) throw new CouldNotRun(`${login.username} cannot log in with ${loginOperation.id}`);
    credentials.main = session.credential;
    if (session.credential.token !== '') secrets.add(session.credential.token, '$TOKEN');
  }
  if (credentials.main !== undefined) await expectOpen(credentials.main);
  return credentials;

  /** Finds a probe that accepts the credential, in general and for each scheme of its own; rejects if there is none. */
  async function expectOpen(credential: Credential): Promise<void> {
    const mine = probes.filter((each) => alternatives(each).some((way) => has(credential, way)));
    const opened = await firstOpen(mine.slice(0, MOST_PROBES), (each) => attach(drafted(spec, each), credential));
    if (typeof opened === 'string') throw new CouldNotRun(`the server rejects the credential: ${opened}`);
    probe = opened ?? mine[0] ?? probe;
    for (const name of Object.keys(perScheme)) {
      const alone = probes.filter((each) => alternatives(each).some((way) => way.length === 1 && way[0] === name));
      const opens = await firstOpen(alone.slice(0, MOST_PROBES), (each) => ({
        ...drafted(spec, each),
        credential: { with: credential, schemes: [name] },
      }));
      if (typeof opens === 'string') throw new CouldNotRun(`the server rejects the credential of ${name}: ${opens}`);
    }
  }

  /**
   * The first operation that accepts the credential; if all reject it, their answers as text. Undefined if there is no
   * operation, or one does not answer.
   */
  async function firstOpen(
    operations: Operation[],
    draftOf: (operation: Operation) => Draft,
  ): Promise<Operation | string | undefined> {
    const rejections: string[] = [];
    for (const operation of operations) {
      const { answer } = await run.attempt(draftOf(operation), WHETHER_VALID);
      if (answer === undefined) return undefined;
      if (answer.status !== 401 && answer.status !== 403) return operation;
      rejections.push(`${operation.id} answers ${String(answer.status)}`);
    }
    return rejections.length === 0 ? undefined : rejections.join(', ');
  }
}

/** Most operations that are called to find out whether a credential is valid. */
const MOST_PROBES = 8;

const WHETHER_VALID = {
  phase: 'setup',
  name: 'whether a credential is valid',
  expectation: 'any',
} as const;

/** Whether a credential has a value for each of these schemes. */
function has({ token, perScheme }: Credential, schemes: string[]): boolean {
  return schemes.every((name) => token !== '' || perScheme[name] !== undefined);
}

/** A request of the operation with any value for each required parameter. */
function drafted(spec: Spec, operation: Operation): Draft {
  const draft = emptyDraft(operation);
  for (const { in: place, name, required, schema, examples } of operation.parameters) {
    if (!required) continue;
    const value = examples[0] ?? sampleOf(spec.requests, schema, { seed: 1, name, accepts: (each) => each !== '' });
    draft[place][name] = value ?? '1';
  }
  return draft;
}

/** Secured GETs: first those of the caller's own record, then those without required parameters. */
function findProbes({ operations }: Spec): Operation[] {
  const rank = ({ path, parameters }: Operation) => {
    if (parameters.some(({ required }) => required)) return 2;
    return /\/(me|self|whoami|user|profile)\/?$/.test(path) ? 0 : 1;
  };
  return operations
    .filter((operation) => operation.method === 'GET' && isSecured(operation))
    .sort((a, b) => rank(a) - rank(b));
}

function findLogin(spec: Spec): Operation | undefined {
  const logins = spec.operations.filter((operation) => !isSecured(operation) && loginFields(spec, operation));
  const named = (operation: Operation) => `${operation.id} ${operation.path}`;
  return (
    logins.find((operation) => /(log|sign)[-_]?in/i.test(named(operation))) ??
    logins.find((operation) => !/regist|sign[-_]?up|reset|forgot|confirm/i.test(named(operation)))
  );
}

function loginFields(spec: Spec, { body, method }: Operation): { user: string; password: string } | undefined {
  if (method !== 'POST' || body === undefined) return undefined;
  for (const { properties = {}, required = [] } of branches(spec.requests, body.schema)) {
    const names = Object.keys(properties);
    const password = names.find(isPasswordName);
    const texts = names.filter(
      (name) => name !== password && typesOf(branches(spec.requests, properties[name])[0] ?? {}).includes('string'),
    );
    const user =
      texts.find((name) => /user|e_?mail|login|account/i.test(name)) ?? texts.find((name) => required.includes(name));
    if (password !== undefined && user !== undefined) return { user, password };
  }
  return undefined;
}

/** Up to four texts of an answer that may be a credential, the likeliest first. */
export function tokensIn(value: Json | undefined): string[] {
  const found: { text: string; rank: number }[] = [];
  const visit = (node: Json | undefined, name: string) => {
    if (typeof node === 'string' && node.length >= 16 && /^[!-~]+$/.test(node))
      found.push({ text: node, rank: rankOf(name) });
    if (Array.isArray(node)) for (const item of node) visit(item, name);
    if (isObject(node)) for (const [member, inner] of Object.entries(node)) visit(inner, member);
  };
  visit(value, '');
  const ranked = found.filter(({ text }) => !/^\d{4}-\d\d-\d\dT|^https?:|@/.test(text)).sort((a, b) => a.rank - b.rank);
  return [...new Set(ranked.map(({ text }) => text))].slice(0, 4);
}

function rankOf(name: string): number {
  if (/refresh|prefix/i.test(name)) return 4;
  if (/access|plain/i.test(name)) return 0;
  if (/token|secret|jwt|key|data/i.test(name) || isSecretName(name)) return 1;
  return /id$/i.test(name) ? 3 : 2;
}

/** The JSON pointer of a text in a value; undefined if the value does not contain it. */
export function placeOf(value: Json | undefined, text: string): string | undefined {
  const visit = (node: Json | undefined, path: string): string | undefined => {
    if (node === text) return path;
    for (const [name, inner] of Object.entries(isObject(node) ? node : {})) {
      const place = visit(inner, `${path}/${name}`);
      if (place !== undefined) return place;
    }
    return undefined;
  };
  return visit(value, '');
}
