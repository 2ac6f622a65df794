import type * as sdk from '../generated/sdk.gen.js';

export type Sdk = typeof sdk;
export type OperationId = keyof Sdk;

/** What may be said of any single call. */
export interface CallOptions {
  /** Ends the call, its pauses between attempts included; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds that each attempt may take; 0 for no limit. The client's own by default. */
  timeoutMs?: number | undefined;
  /** How often an attempt is repeated at most; 0 for never. The client's own by default. */
  maxRetries?: number | undefined;
  /**
   * Further request headers, such as `X-Request-Id`. The credential's headers are refused with a `TypeError`: it belongs
   * into `token`.
   */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** An answer with what stands around its data. */
export interface Answer<T> {
  data: T;
  /** The HTTP status. */
  status: number;
  headers: Headers;
  /** The answer's `ETag`, which `ifMatch` takes; undefined where it has none. */
  etag: string | undefined;
  /** The answer's `X-Request-Id`, which the service's log has too. */
  requestId: string | undefined;
}

/** A call on its way: resolves with the answer's data, rejects with a `LatchkeyError`. */
export interface Call<T> extends Promise<T> {
  /** Resolves with the data, the status and the headers of the answer. It sends nothing anew. */
  withResponse(): Promise<Answer<T>>;
}

/** The contract's header parameters, of those operations that take them. */
export interface HeaderInput {
  /**
   * The `etag` of the answer that the call builds on: where the token has been edited, rotated or revoked since, nothing
   * happens and the call rejects with `precondition_failed`. An undefined one is refused with `invalid_input`, never
   * taken for none.
   */
  ifMatch?: string | undefined;
  /**
   * What names this request, 1 to 255 visible ASCII characters: for 24 hours the same key with the same request gets the
   * same answer, and nothing is done twice. By default each call makes one, the same for all its attempts; one that you
   * keep makes a call repeatable beyond the end of your process.
   */
  idempotencyKey?: string | undefined;
}

export interface HeaderNames {
  ifMatch: 'If-Match';
  idempotencyKey: 'Idempotency-Key';
}

/** The parameters and the body of an operation, as the contract has them. */
export type InputOf<Id extends OperationId> = Inputs[Id];

type Inputs = {
  [Id in OperationId]: Pick<Parameters<Sdk[Id]>[0], 'body' | 'path' | 'query'> &
    HeaderInputOf<NonNullable<Parameters<Sdk[Id]>[0]['headers']>>;
};

// A generated operation takes any header of any type, but those of the contract as strings alone.
type HeaderInputOf<Headers> = {
  [Name in keyof HeaderInput as Record<HeaderNames[Name], 0> extends Headers ? never : Name]: HeaderInput[Name];
};

/** What a successful call of an operation resolves with; nothing for an operation that answers without a body. */
export type DataOf<Id extends OperationId> = DataIn<Awaited<ReturnType<Sdk[Id]>>['data']>;

// An answer without a body is unknown to the generator where its status is not 204.
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- what the generator has for 204
type DataIn<Generated> = unknown extends Generated ? void : Exclude<Generated, undefined>;

/** An operation as a function; where nothing of its input is required, neither are its options. */
export type Operation<Id extends OperationId> = OperationOf<InputOf<Id>, DataOf<Id>>;

type OperationOf<Input, Data> =
  Partial<Input> extends Input
    ? (options?: Input & CallOptions) => Call<Data>
    : (options: Input & CallOptions) => Call<Data>;

export type Operations = { [Id in keyof Sdk]: Operation<Id> };

/** What is known of the operations that answer with anything but JSON. */
export type OtherMediaTypes = {
  [Id in OperationId as DataOf<Id> extends object ? never : Id]: DataOf<Id> extends string ? string : null;
};

/** A `Call` whose request `run` sends. */
export function toCall<T>(run: () => Promise<Answer<T>>): Call<T> {
  const answered = run();
  const call = answered.then(({ data }) => data);
  return Object.assign(call, {
    withResponse: async () => {
      // Who asks for the whole answer is told of its failure there, and not a second time as an unhandled rejection.
      call.catch(() => undefined);
      return await answered;
    },
  });
}
