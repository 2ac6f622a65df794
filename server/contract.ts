import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from 'koa';
import type { DEFAULTED, HEADERS, OPEN } from '../generated/operations.js';
import type * as sdk from '../generated/sdk.gen.js';
import { sendAnswer, sendError } from './answer.js';
import { authenticate } from './authenticate.js';
import type { Caller } from './caller.js';
import type { Deps } from './deps.js';
import { insufficientScope, ServiceError, toServiceError, toWire, unauthorized } from './errors.js';
import { toInstant } from './instants.js';
import type { OperationId } from './operation-id.js';
import { type Operation, readOperations } from './operations.js';
import { isSameOrigin } from './origin.js';
import { toProblems } from './problems.js';
import { carriesBody, RequestAborted, readForm, readJson, readQuery, refuseBody } from './request.js';
import { createRoutes, type Routes, type Serve } from './routes.js';
import { type Attempt, toAttempt } from './tokens/once.js';
import type { Trace } from './trace.js';

// The contract decides what exists, what it takes and what it gives: routes, security, validation, status and media type
// come from openapi.yaml, and the handlers' types from the code that is generated from it. What is missing in a handler,
// or of the wrong shape in its answer, does not compile.

type Sdk = typeof sdk;

/** Operations that may end the very secret they are called with, and whose answer must not be lost for it. */
const REPLACE_THE_SECRET: ReadonlySet<string> = new Set<OperationId>(['rotateAccessToken', 'rotateCurrentAccessToken']);

/** Characters of an Idempotency-Key that an ended secret is let in with: whoever stole the secret must not find it. */
const UNGUESSABLE = 22;

const EXPIRES_AT = 'Latchkey-Token-Expires-At';

type Input<Id extends OperationId> = NonNullable<Parameters<Sdk[Id]>[0]>;
type Part<Id extends OperationId, Name extends 'path' | 'query' | 'body'> =
  Input<Id> extends Partial<Record<Name, infer Value>> ? NonNullable<Value> : never;
type Defaulted<Id extends OperationId> = Id extends keyof typeof DEFAULTED ? (typeof DEFAULTED)[Id][number] : never;
type WithDefaults<Query, Name> = Query & Required<Pick<Query, Extract<keyof Query, Name>>>;
type Result<Id extends OperationId> = Extract<Awaited<ReturnType<Sdk[Id]>>, { error: undefined }>['data'];

/** A request that fits the contract. */
export interface Request<Id extends OperationId> {
  caller: Id extends (typeof OPEN)[number] ? undefined : Caller;
  path: Part<Id, 'path'>;
  query: WithDefaults<Part<Id, 'query'>, Defaulted<Id>>;
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
export type Contract = Routes;

/** Runs before an operation, authentication included. True where it has answered itself, or ended the connection. */
export type Before = (operation: Operation, request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

export async function createContract(deps: Deps, handlers: Handlers, before?: Before): Promise<Contract> {
  const operations = await readOperations();
  return createRoutes(operations, (operation) => {
    const serving = serve(deps, operation, handlers[operation.id as OperationId] as unknown as AnyHandler);
    return before === undefined ? serving : preceded(before, operation, serving);
  });
}

function preceded(before: Before, operation: Operation, serving: Serve): Serve {
  return async (ctx, trace, params, search) => {
    trace.operation = operation;
    let answered: boolean;
    try {
      answered = await before(operation, ctx.req, ctx.res);
    } catch (error) {
      sendError(ctx, trace, toServiceError(error, trace.requestId), operation.surface);
      return;
    }
    if (!answered) await serving(ctx, trace, params, search);
  };
}

function serve(deps: Deps, operation: Operation, handler: AnyHandler): Serve {
  const { checkResponses } = deps.config;
  const { status, contentType } = operation;
  return async (ctx, trace, params, search) => {
    trace.operation = operation;
    let caller: Caller | undefined;
    try {
      if (operation.schemes.size > 0) {
        caller = await admit(deps, operation, ctx.req, trace);
        permit(deps, operation, ctx.req, caller);
      }
      const { path, query, body: sent, attempt, ifMatch } = await validated(ctx.req, operation, params, search);
      const request = { caller, path, query, body: sent, attempt, ifMatch, raw: ctx.req };
      const { body, headers } = await handler(deps, request);
      if (checkResponses) hold(operation, status, body, trace, headers);
      const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
      sendAnswer(ctx, trace, { status, headers, contentType, body: text });
    } catch (error) {
      if (error instanceof RequestAborted) throw error;
      // Who is let in to repeat a request, and does not, hears no more than any other refused caller.
      const hide = caller?.superseded === true && error instanceof ServiceError && error.status < 500;
      refuse(deps, operation, ctx, trace, hide ? unauthorized('superseded', { credentialSent: true }) : error);
    }
  };
}

/** The caller; before anything else of the request is looked at. */
async function admit(deps: Deps, operation: Operation, { headers }: IncomingMessage, trace: Trace): Promise<Caller> {
  const caller = await authenticate(deps, headers, {
    schemes: operation.schemes,
    superseded: REPLACE_THE_SECRET.has(operation.id) && String(headers['idempotency-key'] ?? '').length >= UNGUESSABLE,
  });
  trace.callerId = caller.ownerId;
  if (caller.expiresAt !== null && !caller.superseded) trace.head.push(EXPIRES_AT, toInstant(caller.expiresAt));
  return caller;
}

/** Throws where the caller may not ask for this in this way. */
function permit({ config }: Deps, operation: Operation, request: IncomingMessage, caller: Caller): void {
  const changes = request.method !== 'GET' && request.method !== 'HEAD';
  if (changes && caller.authMethod === 'cookie' && !isSameOrigin(request, config)) {
    throw new ServiceError('cross_site_request');
  }
  for (const scope of operation.scopes) if (!caller.holds(scope)) throw insufficientScope(scope);
}

async function validated(
  request: IncomingMessage,
  operation: Operation,
  params: Readonly<Record<string, string>>,
  search: string,
) {
  const path: Record<string, unknown> = {};
  for (const name in params) path[name] = operation.coerce('path', name, params[name] ?? '');
  const query: Record<string, unknown> = readQuery(search);
  for (const name in query) query[name] = operation.coerce('query', name, String(query[name]));
  const header: Partial<Record<(typeof HEADERS)[number], string>> = {};
  for (const name of operation.headers) {
    const value = request.headers[name];
    if (typeof value === 'string') header[name] = value;
  }
  const body = operation.body === undefined && !carriesBody(request) ? undefined : await bodyOf(request, operation);
  const errors = operation.validate({ path, query, header, ...(body !== undefined && { requestBody: body }) });
  if (errors.length > 0) throw new ServiceError('invalid_input', { problems: toProblems(errors) });
  const { 'idempotency-key': key, 'if-match': ifMatch } = header;
  const attempt = key === undefined ? undefined : toAttempt(key, [operation.id, path, body, ifMatch]);
  return { path, query, body, attempt, ifMatch };
}

async function bodyOf(request: IncomingMessage, { body }: Operation): Promise<unknown> {
  if (body === undefined) {
    await refuseBody(request);
    return undefined;
  }
  const sent = await (body.form ? readForm(request) : readJson(request));
  return sent === undefined && !body.required ? {} : sent;
}

/** Throws where the answer breaks the contract, which makes it a 500. */
function hold(
  operation: Operation,
  status: number,
  body: unknown,
  { head }: Trace,
  headers: Readonly<Record<string, string>> = {},
): void {
  const breach = operation.checkAnswer(status, body, (name) => Object.hasOwn(headers, name) || head.includes(name));
  if (breach !== undefined) throw new Error(`the answer breaks the contract: ${breach}`);
}

function refuse({ config }: Deps, operation: Operation, ctx: Context, trace: Trace, thrown: unknown): void {
  let error = toServiceError(thrown, trace.requestId);
  if (config.checkResponses) {
    const { status, body } = toWire(error, operation.surface);
    try {
      hold(operation, status, body, trace, error.headers);
    } catch (breach) {
      error = toServiceError(breach, trace.requestId);
    }
  }
  sendError(ctx, trace, error, operation.surface);
}
