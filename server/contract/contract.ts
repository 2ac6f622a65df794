import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from 'koa';
import type { DEFAULTED, HEADERS, OPEN } from '../../generated/operations.js';
import type * as sdk from '../../generated/sdk.gen.js';
import type { Deps } from '../deps.js';
import { ServiceError, toServiceError, toWire } from '../errors.js';
import { sendAnswer, sendError } from '../http/answer.js';
import type { AnswerHeaders } from '../http/headers.js';
import { carriesBody, RequestAborted, readForm, readJsonBytes, readQuery, rejectBody } from '../http/request.js';
import { type Stream, sendStream } from '../http/stream.js';
import type { Trace } from '../http/trace.js';
import type { Actor, AuthenticatedActor } from '../tokens/actor.js';
import type { Caller } from '../tokens/caller.js';
import type { Conditions } from '../tokens/entity-tag.js';
import { type Idempotency, toIdempotency } from '../tokens/once.js';
import { RequestActor } from './actor.js';
import { type Authorized, authorize } from './authorize.js';
import type { OperationId } from './operation-id.js';
import { type Operation, readOperations } from './operations.js';
import { toProblems } from './problems.js';
import { createRoutes, type Routes, type Serve } from './routes.js';

// The routes, security, validation, statuses and media types come from openapi.yaml. The types of the handlers come
// from the TypeScript code that is generated from openapi.yaml, so that a missing handler or an answer of the wrong
// shape does not compile.

type Sdk = typeof sdk;

type Input<Id extends OperationId> = NonNullable<Parameters<Sdk[Id]>[0]>;
type Part<Id extends OperationId, Name extends 'path' | 'query' | 'body'> =
  Input<Id> extends Partial<Record<Name, infer Value>> ? NonNullable<Value> : never;
type Defaulted<Id extends OperationId> = Id extends keyof typeof DEFAULTED ? (typeof DEFAULTED)[Id][number] : never;
type WithDefaults<Query, Name> = Query & Required<Pick<Query, Extract<keyof Query, Name>>>;
type Result<Id extends OperationId> = Extract<Awaited<ReturnType<Sdk[Id]>>, { error: undefined }>['data'];

/** A request that has passed authentication and validation. */
export interface Request<Id extends OperationId> {
  /** Undefined if the operation needs no credential. */
  caller: Id extends (typeof OPEN)[number] ? undefined : Caller;
  /** The sender of the request, to pass to functions that change something. */
  actor: Id extends (typeof OPEN)[number] ? Actor : AuthenticatedActor;
  path: Part<Id, 'path'>;
  query: WithDefaults<Part<Id, 'query'>, Defaulted<Id>>;
  /** An empty object if the body is optional and none was sent. */
  body: Part<Id, 'body'>;
  /** The bytes of a JSON body as they were sent, for a signature of them; empty for any other body. */
  bytes: Uint8Array;
  /** Undefined if the request has no `Idempotency-Key`, or the operation does not take this header. */
  idempotency: Idempotency | undefined;
  /** The request's `If-Match` and `If-None-Match`; both undefined if the operation does not take `If-Match`. */
  conditions: Conditions;
  /** The request's `Last-Event-ID`; undefined if the operation does not take this header. */
  lastEventId: string | undefined;
  /** Node's request, for what the contract does not describe, such as the addresses of the connection. */
  raw: IncomingMessage;
}

/**
 * The successful answer of an operation; a 204 has no body. Server-sent events are a `stream`. `status` is by default the lowest
 * 2xx status that the contract has for the operation.
 */
export type Answer<Id extends OperationId> = {
  status?: 200 | 201;
  headers?: AnswerHeaders;
} & (Awaited<ReturnType<Sdk[Id]>> extends { stream: unknown }
  ? { stream: Stream }
  : undefined extends Result<Id>
    ? { body?: undefined }
    : { body: Result<Id> });

/** The handler of each operation, by the operation's id. */
export type Handlers = {
  [Id in OperationId]: (deps: Deps, request: Request<Id>) => Answer<Id> | Promise<Answer<Id>>;
};

type AnyHandler = (
  deps: Deps,
  request: unknown,
) => Promise<{ status?: number; body?: unknown; stream?: Stream; headers?: AnswerHeaders }>;

/**
 * Runs before the authentication of each request to an operation. Resolves with true if the function has answered the
 * request or closed the connection; then the operation does not run.
 */
export type Before = (operation: Operation, request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/** Creates a route for each operation of the contract. Only the local server for tests passes `before`. */
export async function serveOperations(deps: Deps, handlers: Handlers, before?: Before): Promise<Routes> {
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
  const { contentType } = operation;
  return async (ctx, trace, params, search) => {
    trace.operation = operation;
    let authorized: Authorized | undefined;
    try {
      if (operation.schemes.size > 0) authorized = await authorize(deps, operation, { params, search }, ctx.req, trace);
      const input = await validated(ctx.req, operation, params, search);
      const caller = authorized?.caller;
      const actor = new RequestActor(caller ?? null, trace.requestId, ctx.req, deps.config);
      const request = { caller, actor, ...input, raw: ctx.req };
      const { status = operation.status, body, stream, headers } = await handler(deps, request);
      if (checkResponses) checkAnswer(operation, status, stream === undefined ? body : '', trace, headers);
      if (stream !== undefined) {
        await sendStream(ctx, trace, { status, headers, contentType: contentType ?? '' }, stream);
        return;
      }
      const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
      sendAnswer(ctx, trace, { status, headers, contentType, body: text });
    } catch (error) {
      if (error instanceof RequestAborted) throw error;
      const isRefused = error instanceof ServiceError && error.status < 500;
      answerError(deps, operation, ctx, trace, (isRefused ? authorized?.unlessRepeated : undefined) ?? error);
    }
  };
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
  const isEmpty = operation.body === undefined && !carriesBody(request);
  const { body, bytes } = isEmpty ? NO_BODY : await bodyOf(request, operation);
  const errors = operation.validate(
    body === undefined ? { path, query, header } : { path, query, header, requestBody: body },
  );
  if (errors.length > 0) throw new ServiceError('invalid_input', { problems: toProblems(errors) });
  const { 'idempotency-key': key, 'if-match': ifMatch } = header;
  const ifNoneMatch = operation.headers.includes('if-match') ? request.headers['if-none-match'] : undefined;
  const parts = () => {
    const all = [operation.id, path, body, ifMatch];
    // Without If-None-Match, add no part: the digest must equal the digest that an earlier version stored.
    return ifNoneMatch === undefined ? all : [...all, ifNoneMatch];
  };
  const idempotency = key === undefined ? undefined : toIdempotency(key, parts());
  return {
    path,
    query,
    body,
    bytes,
    idempotency,
    conditions: { ifMatch, ifNoneMatch },
    lastEventId: header['last-event-id'],
  };
}

const NO_BODY: { body: unknown; bytes: Uint8Array } = { body: undefined, bytes: new Uint8Array() };

async function bodyOf(request: IncomingMessage, { body }: Operation): Promise<typeof NO_BODY> {
  if (body === undefined) {
    await rejectBody(request);
    return NO_BODY;
  }
  if (body.form) {
    const sent = await readForm(request);
    return { body: sent === undefined && !body.required ? {} : sent, bytes: NO_BODY.bytes };
  }
  const { value, bytes } = await readJsonBytes(request);
  return { body: value === undefined && !body.required ? {} : value, bytes };
}

/** Throws an `Error`, which becomes a 500, if an answer breaks the contract. */
function checkAnswer(
  operation: Operation,
  status: number,
  body: unknown,
  { head }: Trace,
  headers: AnswerHeaders = {},
): void {
  const breach = operation.checkAnswer(status, body, (name) => Object.hasOwn(headers, name) || head.includes(name));
  if (breach !== undefined) throw new Error(`the answer breaks the contract: ${breach}`);
}

function answerError({ config }: Deps, operation: Operation, ctx: Context, trace: Trace, thrown: unknown): void {
  let error = toServiceError(thrown, trace.requestId);
  if (config.checkResponses) {
    const { status, body } = toWire(error, operation.surface);
    try {
      checkAnswer(operation, status, body, trace, error.headers);
    } catch (breach) {
      error = toServiceError(breach, trace.requestId);
    }
  }
  sendError(ctx, trace, error, operation.surface);
}
