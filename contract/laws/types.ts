import type { Json } from '../document/json.js';

/**
 * Rules that an OpenAPI document cannot express. Breaking a law is a fault. Operations are named by operationId.
 * Members are named by their path, with dots between nested names.
 */
export interface Laws {
  /** Rules for filters: which rows a filtered list contains. */
  filters?: FilterLaw[];
  /** Rules for sorting: by which member each value of a parameter sorts a list. */
  sorts?: SortLaw[];
  /** Members that never change after a thing is created. */
  constants?: ConstantLaw[];
  /** Pairs of operations, the second of which undoes the first. */
  undoes?: UndoLaw[];
  /** Rules for revocation: after which operation a credential is rejected, and how soon. */
  refusals?: RefusalLaw[];
  /** Headers that every answer must have. */
  headers?: HeaderLaw[];
  /** Requests that are sent in order, and the expected answers. */
  workflows?: Workflow[];
  /** Bytes of the largest body that is accepted: one byte more gets 413, where the operation documents that. */
  bodyBytes?: number;
  /** Good practices that the server promises to follow. Breaking one is a fault instead of a warning. */
  practices?: Practice[];
}

/** How a filter compares the member of a row with the parameter's value. */
export const COMPARISONS = {
  equals: 'the member is the value',
  contains: 'the text, or one in the list, contains the value, whatever the letter case; null contains nothing',
  includes: 'the list has the value as an item',
  after: 'the instant or number is later or larger than the value',
  before: 'the instant or number is earlier or smaller than the value',
  isNull: 'true keeps rows whose member is null, false the others',
} as const;

export type Comparison = keyof typeof COMPARISONS;

/** A filtered list contains the rows for which the comparison is true, by every law on that parameter and value. */
export interface FilterLaw {
  operation: string;
  parameter: string;
  /** The member that is compared. If there are several, one match is enough. */
  member: string | string[];
  compare: Comparison;
  /** The law applies only to this value of the parameter; to every value by default. */
  value?: Json;
  /** What the member is compared with, instead of the parameter's value. An instant may be `now` or `now + 7d`. */
  to?: Json;
  /** Whether a list filtered by `after` or `before` contains rows whose member is null; false by default. */
  keepsNull?: boolean;
}

export interface SortLaw {
  operation: string;
  /** The parameter that sorts, and its value. Without them the law is about the order of the list by default. */
  parameter?: string;
  value?: string;
  member: string;
  /** Whether the order is descending; false by default. */
  descending?: boolean;
  /** Where rows whose member is null come in ascending order; not checked by default. */
  nulls?: 'first' | 'last';
  /** Whether sorting ignores letter case. By default it compares code points. */
  ignoreCase?: boolean;
}

export interface ConstantLaw {
  /** The operations whose answers contain the members, and the operations that must not change them. */
  operations: string[];
  members: string[];
  /** The member that identifies a thing; `id` by default. */
  id?: string;
}

/** Two operations on one thing. After both, the thing is unchanged, except for members such as `updatedAt`. */
export interface UndoLaw {
  operation: string;
  body?: Json;
  by: string;
  byBody?: Json;
}

export interface RefusalLaw {
  /** The operation after which the credential is rejected, such as a revocation or an edit. */
  after: string;
  /** The body of `after`; by default the run generates a valid one. */
  body?: Json;
  /** The operation that creates the thing that `after` ends or changes. */
  of: string;
  /**
   * How to get the credential, if it is not in the answer of `of`: an operation and its body. Runtime expressions in
   * the body, such as `$response.body#/user/email`, refer to that answer.
   */
  by?: { operation: string; body: Json };
  /** Milliseconds after the answer of `after` from which every use must be rejected; 0 by default. */
  withinMs?: number;
}

/**
 * Requests that are sent in order. A step without `status` whose request fails ends the workflow, and breaks no law.
 *
 * A value may be a runtime expression of an earlier step, such as `$steps.made.response.body#/token/id`, or an instant
 * such as `now + 30d` (`s`, `m`, `h` or `d`). Inside a longer text an expression is in braces. `{$run.word}` is a
 * random word, the same in all steps of the workflow, and `{$run.host}` the server's host.
 */
export interface Workflow {
  /** The rule that the workflow tests, in a few words. Findings contain it. */
  rule: string;
  steps: Step[];
}

/** A request of a workflow, and its expected answer. */
export interface Step {
  /** The operationId. */
  operation: string;
  /** The method to send instead of the operation's own. */
  method?: string;
  /** The path to send, unchanged, instead of one made from the operation's template. */
  path?: string;
  /** The name of the step in the expressions of later steps. */
  as?: string;
  /** Parameters by place and name, such as `path.id` or `header.If-Match`. The run generates other required ones. */
  parameters?: Record<string, Json>;
  /** The body to send instead of a generated valid one. */
  body?: Json;
  /** Members to set in the body, by their paths, such as `address.city`. */
  members?: Record<string, Json>;
  /** Milliseconds to wait before the request, at most 10000, such as until a thing has expired. */
  waitMs?: number;
  /** The credential to send; null for none. By default the run sends its own. */
  credential?: string | null;
  /** The expected status, or a list of allowed ones. By default a status is not checked. */
  status?: number | number[];
  /**
   * Expected values, by runtime expressions such as `$response.body#/items` and `$response.header.ETag`. A value is
   * compared as it is, or by an object with one of these members: `not` (a value), `like` (a regular expression),
   * `absent` (true or false), `about` (an instant, give or take a minute), `startOf` (a text that begins with it). For lists: `has` or `lacks` (a row with
   * these members), `rows` (some members of each row, in order).
   */
  expect?: Record<string, Json>;
}

export interface HeaderLaw {
  name: string;
  /** A regular expression that the header's value must match; any value by default. */
  pattern?: string;
  /** The law applies only to paths that match this regular expression; to all paths by default. */
  paths?: string;
}

/**
 * Good practices that no standard requires. A run warns of each but the rare ones from `published-document` to
 * `media-type`, which it checks only if the configuration names them; of `documented-secrets` and `concurrent` it warns.
 */
export const PRACTICES = {
  echo: 'the answers of a create and of a later get contain the values that were sent',
  place: 'an error about the input names the member that is wrong',
  'authentication-first': 'an invalid request without a credential gets 401, as a valid one does',
  'one-credential': 'a request with two different credentials is rejected',
  'documented-credentials': 'a credential is accepted only in the documented ways',
  method: 'an undeclared method gets 405, and Allow lists only documented methods',
  head: 'HEAD is served wherever GET is',
  options: 'the answer to OPTIONS has an Allow header with the methods of the path',
  location: 'Location leads to this origin',
  'put-replaces': 'PUT removes members that its body does not contain',
  'no-wider': 'a credential creates no credential with a scope that it lacks itself',
  'published-document': 'an answer that is this OpenAPI document is the same as the document that is tested',
  'documented-secrets': 'a secret is only in documented members and headers of the answer that issues it',
  'login-alike': 'a login with an unknown user and one with a wrong password get the same answer after the same time',
  concurrent: 'requests at the same time are all carried out: two creates, and two edits of different members',
  'uuid-case': 'an id of format uuid is found in capitals too (RFC 9562, section 4)',
  'unknown-parameters': 'an undocumented query parameter is rejected, and a documented one that is sent twice',
  'media-type': 'a body of an undocumented media type, or of none, gets 415',
  'unknown-alike': "a request for another identity's thing gets the same answer as for a thing that does not exist",
} as const;

export type Practice = keyof typeof PRACTICES;
