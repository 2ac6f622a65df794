import type * as sdk from '../generated/sdk.gen.js';

export type Sdk = typeof sdk;
export type OperationId = keyof Sdk;

/** Options of a single call of any operation. */
export interface CallOptions {
  /** Aborts the call, also in a pause between attempts; the call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds that each attempt may take; 0 for no limit. Defaults to the client's option. */
  timeoutMs?: number | undefined;
  /** Most retries after the first attempt; 0 for none. Defaults to the client's option. */
  maxRetries?: number | undefined;
  /**
   * Further request headers, such as `X-Request-Id`. A header that carries a credential is rejected with a `TypeError`:
   * pass the credential as the client's option `token`.
   */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** The data of an answer with its status and headers. */
export interface Answer<T> {
  data: T;
  /** The HTTP status. */
  status: number;
  headers: Headers;
  /** The answer's `ETag`, to be passed as `ifMatch`; undefined if the answer has none. */
  etag: string | undefined;
  /** The answer's `X-Request-Id`, by which the service's log can be searched. */
  requestId: string | undefined;
}

/** A promise of an operation's answer: resolves with its data, rejects with a `LatchkeyError`. */
export interface Call<T> extends Promise<T> {
  /** Resolves with the data, status and headers of the answer. Does not send the request again. */
  withResponse(): Promise<Answer<T>>;
}

/** Header parameters. An operation accepts those that `openapi.yaml` gives it. */
export interface HeaderInput {
  /**
   * `etag` of an earlier answer about the token. If the token has been edited, rotated or revoked since, the call changes
   * nothing and rejects with `precondition_failed`. An explicit undefined is rejected with `invalid_input`; leave the
   * option out for no condition.
   */
  ifMatch?: string | undefined;
  /**
   * Identifies the request: 1 to 255 visible ASCII characters. For 24 hours, the same request with the same key gets the
   * same answer and is not executed again. By default each call generates a key and uses it for all its attempts. Store a
   * key of your own to repeat the call safely after a restart of your process.
   */
  idempotencyKey?: string | undefined;
}

export interface HeaderNames {
  ifMatch: 'If-Match';
  idempotencyKey: 'Idempotency-Key';
}

/** Parameters and body of an operation, as `openapi.yaml` defines them. */
export type InputOf<Id extends OperationId> = Inputs[Id];

type Inputs = {
  [Id in OperationId]: Pick<Parameters<Sdk[Id]>[0], 'body' | 'path' | 'query'> &
    HeaderInputOf<NonNullable<Parameters<Sdk[Id]>[0]['headers']>>;
};

// A generated operation accepts any header, but types only those of the contract as plain strings.
type HeaderInputOf<Headers> = {
  [Name in keyof HeaderInput as Record<HeaderNames[Name], 0> extends Headers ? never : Name]: HeaderInput[Name];
};

/** Operations whose answer is a stream of server-sent events. The client has other methods for them. */
export type StreamId = 'followEvents';
type WholeId = Exclude<OperationId, StreamId>;

/** Type that a successful call of an operation resolves with; `void` if its answer has no body. */
export type DataOf<Id extends OperationId> = Id extends WholeId
  ? DataIn<Awaited<ReturnType<Sdk[Id]>>['data']>
  : EventBytes;

/** The bytes of a stream of server-sent events. */
export type EventBytes = ReadableStream<Uint8Array>;

// The generator types an answer without a body as unknown unless its status is 204.
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- what the generator has for 204
type DataIn<Generated> = unknown extends Generated ? void : Exclude<Generated, undefined>;

/** An operation as a method of the client. Its parameter is optional if no input is required. */
export type Operation<Id extends OperationId> = OperationOf<InputOf<Id>, DataOf<Id>>;

/** The method of an operation with this input and this data. */
export type OperationOf<Input, Data> =
  Partial<Input> extends Input
    ? (options?: Input & CallOptions) => Call<Data>
    : (options: Input & CallOptions) => Call<Data>;

export type Operations = { [Id in keyof Sdk]: Operation<Id> };

/** Media types of the operations whose answer is not JSON; null if it has no body. */
export type OtherMediaTypes = {
  [Id in OperationId as DataOf<Id> extends object ? Extract<Id, StreamId> : Id]: DataOf<Id> extends string | object
    ? string
    : null;
};

/** Runs `run` and returns its answer as a `Call`. */
export function toCall<T>(run: () => Promise<Answer<T>>): Call<T> {
  const answered = run();
  const call = answered.then(({ data }) => data);
  return Object.assign(call, {
    withResponse: async () => {
      // The promise returned here reports a failure; without this, `call` would report it again as unhandled.
      call.catch(() => undefined);
      return await answered;
    },
  });
}
