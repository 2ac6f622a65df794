import type { IncomingMessage, ServerResponse } from 'node:http';
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type * as sdk from '../generated/sdk.gen.js';
import { authenticate } from './authenticate.js';
import type { Caller } from './caller.js';
import type { Deps } from './deps.js';
import { insufficientScope, ServiceError, type Surface, toServiceError, toWire, unauthorized } from './errors.js';
import { toInstant } from './instants.js';
import type { OperationId } from './operation-id.js';
import { type Operation, readOperations } from './operations.js';
import { isSameOrigin } from './origin.js';
import { toProblems } from './problems.js';
import { carriesBody, RequestAborted, readForm, readJson, readQuery, refuseBody } from './request.js';
import { type Attempt, toAttempt } from './tokens/once.js';
import type { Trace } from './trace.js';

// The contract decides what exists, what it takes and what it gives: routes, security, validation, status and media type
// come from openapi.yaml, and the handlers' types from the code that is generated from it. What is missing in a handler,
// or of the wrong shape in its answer, does not compile.

type Sdk = typeof sdk;

/** Operations that need no credential. Held against the contract at start, in both directions. */
const OPEN = [
  'logIn',
  'refreshSession',
  'getHealth',
  'getReadiness',
  'getOpenApiJson',
  'getOpenApiYaml',
] as const satisfies OperationId[];

/** Query parameters that the contract gives a default, and a handler therefore always gets. Held against it at start. */
const DEFAULTED = [
  'ordering',
  'q',
  'page',
  'page_size',
  'includeRevoked',
  'limit',
  'exclude_current',
  'sort',
] as const satisfies string[];

/** Request headers that the contract knows: what `attempt` and `ifMatch` are made of. Held against it at start. */
const HEADERS = ['Idempotency-Key', 'If-Match'];

/** Operations that may end the very secret they are called with, and whose answer must not be lost for it. */
const REPLACE_THE_SECRET: ReadonlySet<string> = new Set<OperationId>(['rotateAccessToken', 'rotateCurrentAccessToken']);

/** Characters of an Idempotency-Key that an ended secret is let in with: whoever stole the secret must not find it. */
const UNGUESSABLE = 22;

const EXPIRES_AT = 'Latchkey-Token-Expires-At';

type Input<Id extends OperationId> = NonNullable<Parameters<Sdk[Id]>[0]>;
type Part<Id extends OperationId, Name extends 'path' | 'query' | 'body'> =
  Input<Id> extends Partial<Record<Name, infer Value>> ? NonNullable<Value> : never;
type WithDefaults<Query> = Query & Required<Pick<Query, Extract<keyof Query, (typeof DEFAULTED)[number]>>>;
type Result<Id extends OperationId> = Extract<Awaited<ReturnType<Sdk[Id]>>, { error: undefined }>['data'];

/** A request that fits the contract. */
export interface Request<Id extends OperationId> {
  caller: Id extends (typeof OPEN)[number] ? undefined : Caller;
  path: Part<Id, 'path'>;
  query: WithDefaults<Part<Id, 'query'>>;
  /** Where the contract asks for no body and none was sent, an empty one. */
  body: Part<Id, 'body'>;
  /** The request's own name, where it has an `Idempotency-Key`. */
  attempt: Attempt | undefined;
  ifMatch: string | undefined;
  /** For what is not in the contract: the addresses of the connection. */
  raw: IncomingMessage;
}

/** The body of the operation's one 2xx answer; none for a 204. */
export type Answer<Id extends OperationId> = {
  headers?: Record<string, string>;
} & (undefined extends Result<Id> ? { body?: undefined } : { body: Result<Id> });

export type Handlers = {
  [Id in OperationId]: (deps: Deps, request: Request<Id>) => Answer<Id> | Promise<Answer<Id>>;
};

type AnyHandler = (deps: Deps, request: unknown) => Promise<{ body?: unknown; headers?: Record<string, string> }>;

/** The contract at work. */
export interface Contract {
  /** One route for each operation. */
  router: Router;
  /** What the contract knows of a path, whatever the method; undefined where it does not know the path. */
  at(path: string): { methods: string[]; surface: Surface } | undefined;
}

/** Runs before an operation, authentication included. True where it has answered itself, or ended the connection. */
export type Before = (operation: Operation, request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

export async function createContract(deps: Deps, handlers: Handlers, before?: Before): Promise<Contract> {
  const operations = await readOperations();
  assertAgreement(operations, handlers);
  // Both off by default: then `DELETE /access-tokens/`, from a client's empty id, would revoke all tokens.
  const router = new Router({ strict: true, sensitive: true });
  const surfaces = new Map<string, Surface>();
  const concrete = new Set(operations.flatMap(({ path }) => (path.includes('{') ? [] : [path])));
  for (const operation of [...operations].sort(concreteFirst)) {
    const handler = handlers[operation.id as OperationId] as unknown as AnyHandler;
    const path = operation.path.replace(/\{(\w+)\}/g, ':$1');
    const serving = serve(deps, operation, handler);
    const route = before === undefined ? serving : preceded(before, operation, serving);
    router.register(path, [operation.method], concrete.has(path) ? route : unlessIn(concrete, route));
    surfaces.set(path, operation.surface);
  }
  return {
    router,
    at(path) {
      const [first, ...others] = router.match(path, '').path;
      const surface = surfaces.get(String(first?.path));
      if (first === undefined || surface === undefined) return undefined;
      const layers = [first, ...others.filter((layer) => layer.path === first.path)];
      return { surface, methods: [...new Set(layers.flatMap((layer) => layer.methods))].sort() };
    },
  };
}

function concreteFirst(a: Operation, b: Operation): number {
  return Number(a.path.includes('{')) - Number(b.path.includes('{'));
}

/** `/tokens/{id}` is no path of `/tokens/current`, not even for the methods that only it knows. */
function unlessIn(concrete: ReadonlySet<string>, route: Middleware): Middleware {
  return async (ctx, next) => {
    if (!concrete.has(ctx.path)) await route(ctx, next);
  };
}

function preceded(before: Before, operation: Operation, serving: Middleware): Middleware {
  return async (ctx, next) => {
    const trace = ctx['trace'] as Trace;
    trace.operation = operation;
    let answered: boolean;
    try {
      answered = await before(operation, ctx.req, ctx.res);
    } catch (error) {
      sendError(ctx, trace, toServiceError(error, trace.requestId), operation.surface);
      return;
    }
    if (answered) ctx.respond = false;
    else await serving(ctx, next);
  };
}

function serve(deps: Deps, operation: Operation, handler: AnyHandler): Middleware {
  const { checkResponses } = deps.config;
  return async (ctx) => {
    const trace = ctx['trace'] as Trace;
    trace.operation = operation;
    let caller: Caller | undefined;
    try {
      if (operation.schemes.size > 0) {
        caller = await admit(deps, operation, ctx, trace);
        permit(deps, operation, ctx, caller);
      }
      const request = await validated(ctx, operation);
      const { body, headers } = await handler(deps, { caller, ...request, raw: ctx.req });
      if (checkResponses) hold(operation, operation.status, body, { ...ctx.response.headers, ...lowerCased(headers) });
      if (headers !== undefined) ctx.set(headers);
      ctx.status = operation.status;
      if (operation.mediaType !== undefined) ctx.type = operation.mediaType;
      setBody(ctx, typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
    } catch (error) {
      if (error instanceof RequestAborted) throw error;
      // Who is let in to repeat a request, and does not, hears no more than any other refused caller.
      const hide = caller?.superseded === true && error instanceof ServiceError && error.status < 500;
      refuse(deps, operation, ctx, trace, hide ? unauthorized('superseded', { credentialSent: true }) : error);
    }
  };
}

/** Koa makes a 204 of every answer without a body. */
function setBody(ctx: Context, body: string | undefined): void {
  if (body !== undefined || ctx.status === 204) {
    ctx.body = body;
  } else {
    ctx.body = '';
    ctx.remove('Content-Type');
  }
}

/** The caller; before anything else of the request is looked at. */
async function admit(deps: Deps, operation: Operation, ctx: Context, trace: Trace): Promise<Caller> {
  const caller = await authenticate(deps, ctx.req.headers, {
    schemes: operation.schemes,
    superseded:
      REPLACE_THE_SECRET.has(operation.id) && String(ctx.req.headers['idempotency-key'] ?? '').length >= UNGUESSABLE,
  });
  trace.callerId = caller.ownerId;
  if (caller.expiresAt !== null && !caller.superseded) ctx.res.setHeader(EXPIRES_AT, toInstant(caller.expiresAt));
  return caller;
}

/** Throws where the caller may not ask for this in this way. */
function permit({ config }: Deps, operation: Operation, ctx: Context, caller: Caller): void {
  const changes = ctx.method !== 'GET' && ctx.method !== 'HEAD';
  if (changes && caller.authMethod === 'cookie' && !isSameOrigin(ctx.req, config)) {
    throw new ServiceError('cross_site_request');
  }
  const lacking = operation.scopes.find((scope) => !caller.holds(scope));
  if (lacking !== undefined) throw insufficientScope(lacking);
}

async function validated(ctx: Context, operation: Operation) {
  const path: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(ctx['params'] as Record<string, string>)) {
    path[name] = operation.coerce('path', name, text);
  }
  const query: Record<string, unknown> = readQuery(ctx.querystring);
  for (const [name, text] of Object.entries(query)) query[name] = operation.coerce('query', name, String(text));
  const header: Record<string, string> = {};
  for (const name of operation.headers) {
    const value = ctx.req.headers[name];
    if (typeof value === 'string') header[name] = value;
  }
  const body = await bodyOf(ctx, operation);
  const errors = operation.validate({ path, query, header, ...(body !== undefined && { requestBody: body }) });
  if (errors.length > 0) throw new ServiceError('invalid_input', { problems: toProblems(errors) });
  const { 'idempotency-key': key, 'if-match': ifMatch } = header;
  const attempt = key === undefined ? undefined : toAttempt(key, [operation.id, path, body, ifMatch]);
  return { path, query, body, attempt, ifMatch };
}

async function bodyOf({ req }: Context, { body }: Operation): Promise<unknown> {
  if (body === undefined) {
    if (carriesBody(req)) await refuseBody(req);
    return undefined;
  }
  const sent = await (body.form ? readForm(req) : readJson(req));
  return sent === undefined && !body.required ? {} : sent;
}

/** Throws where the answer breaks the contract, which makes it a 500. */
function hold(operation: Operation, status: number, body: unknown, headers: Record<string, unknown>): void {
  const breach = operation.checkAnswer(status, body, headers);
  if (breach !== undefined) throw new Error(`the answer breaks the contract: ${breach}`);
}

function refuse({ config }: Deps, operation: Operation, ctx: Context, trace: Trace, thrown: unknown): void {
  let error = toServiceError(thrown, trace.requestId);
  if (config.checkResponses) {
    const { status, body } = toWire(error, operation.surface);
    try {
      hold(operation, status, body, { ...ctx.response.headers, ...lowerCased(error.headers) });
    } catch (breach) {
      error = toServiceError(breach, trace.requestId);
    }
  }
  sendError(ctx, trace, error, operation.surface);
}

/** Answers with `error` in the surface's shape; what belongs to neither has the access tokens'. */
export function sendError(ctx: Context, trace: Trace, error: ServiceError, surface: Surface = 'access tokens'): void {
  const { status, body } = toWire(error, surface);
  trace.error = error;
  ctx.status = status;
  ctx.set(error.headers);
  ctx.type = 'application/json';
  ctx.body = JSON.stringify(body);
}

function lowerCased(headers: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** The few things that the types cannot hold against the contract. A mismatch is a mistake in this program. */
function assertAgreement(operations: Operation[], handlers: Handlers): void {
  const open = operations.flatMap(({ id, schemes }) => (schemes.size > 0 ? [] : [id]));
  const defaulted = operations.flatMap((operation) => operation.defaulted);
  assertSame('operations without security', open, OPEN);
  assertSame('defaulted parameters', defaulted, DEFAULTED);
  assertSame(
    'header parameters',
    operations.flatMap((operation) => operation.headers),
    HEADERS.map((name) => name.toLowerCase()),
  );
  assertSame(
    'handlers',
    operations.map(({ id }) => id),
    Object.keys(handlers),
  );
}

function assertSame(what: string, contract: readonly string[], code: readonly string[]): void {
  const [left, right] = [contract, code].map((names) => [...new Set(names)].sort().join(' '));
  if (left !== right) throw new TypeError(`${what}: the contract has ${String(left)}, the code ${String(right)}`);
}
