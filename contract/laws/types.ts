import type { Json } from '../document/json.js';

/**
 * What an OpenAPI document cannot say of a server, stated for its contract tests. What breaks a law is a fault. All
 * operations go by their operationId, members of rows and things by their names, joined by dots where they are nested.
 */
export interface Laws {
  /** Which rows a filter of a list keeps. */
  filters?: FilterLaw[];
  /** What the values of a sorting parameter order a list by. */
  sorts?: SortLaw[];
  /** Members that nothing changes once a thing is made. */
  constants?: ConstantLaw[];
  /** Operations that take back what another has done. */
  undoes?: UndoLaw[];
  /** After which operation a credential is refused, and how soon. */
  refusals?: RefusalLaw[];
  /** Headers that every answer has. */
  headers?: HeaderLaw[];
  /** Requests one after the other, and what their answers are. */
  workflows?: Workflow[];
  /** Good practices that this server promises: a breach of them is a fault instead of a warning. */
  practices?: Practice[];
}

/** How a filter compares the member of a row with the value that is asked for. */
export const COMPARISONS = {
  equals: 'the member is the value',
  contains: 'the text contains the value, whatever the letter case',
  includes: 'the list has the value as an item',
  after: 'the instant or number is later or larger than the value',
  before: 'the instant or number is earlier or smaller than the value',
  isNull: 'true keeps rows whose member is null, false the others',
} as const;

export type Comparison = keyof typeof COMPARISONS;

/** A row is kept where the comparison is true. Several laws on one parameter and value are joined by and. */
export interface FilterLaw {
  operation: string;
  parameter: string;
  /** The member that is compared; of several, one is enough. */
  member: string | string[];
  compare: Comparison;
  /** The one value of the parameter that the law is about; any where absent. */
  value?: Json;
  /** What the member is compared with, where that is not the value itself; an instant may be `now` or `now + 7d`. */
  to?: Json;
  /** Whether rows whose member is null are kept by `after` and `before`; false by default. */
  keepsNull?: boolean;
}

export interface SortLaw {
  operation: string;
  parameter: string;
  value: string;
  member: string;
  /** False by default. */
  descending?: boolean;
  /** Where rows without the member stand when the order is ascending; unchecked where absent. */
  nulls?: 'first' | 'last';
  /** Whether texts are ordered without regard to letter case; false, by code points, by default. */
  ignoreCase?: boolean;
}

export interface ConstantLaw {
  /** The operations whose answers tell the members, alone or in a list, and those that must not change them. */
  operations: string[];
  members: string[];
  /** The member by which a thing is known again; `id` by default. */
  id?: string;
}

/** Both operations are those of one thing; after them it is as it was before the first, but for its times of use. */
export interface UndoLaw {
  operation: string;
  body?: Json;
  by: string;
  byBody?: Json;
}

export interface RefusalLaw {
  /** The operation after which the credential is refused, such as a revocation or an edit. */
  after: string;
  /** Sent with it instead of a good body of the run's own making. */
  body?: Json;
  /** The operation that creates what `after` works on. */
  of: string;
  /**
   * How to get the credential, where it is not in the answer of `of`: an operation with a body, in which runtime
   * expressions such as `$response.body#/user/email` speak of that answer.
   */
  by?: { operation: string; body: Json };
  /** Milliseconds from the answer of `after` until each use is refused; 0 by default. */
  withinMs?: number;
}

/**
 * Steps that are taken one after the other; a step that fails without saying its `status` ends them. Values may be
 * runtime expressions of an earlier step, such as `$steps.made.response.body#/token/id`, and instants such as
 * `now + 30d` (`s`, `m`, `h` or `d`). In a text, expressions stand in braces; `{$run.word}` is a new word in each run.
 */
export interface Workflow {
  /** What it shows, in a few words. */
  rule: string;
  steps: Step[];
}

export interface Step {
  operation: string;
  /** Instead of the operation's own. */
  method?: string;
  /** Instead of one made from the operation's template; sent as it is. */
  path?: string;
  /** The name by which later steps speak of this one. */
  as?: string;
  /** By place and name, such as `path.id` or `header.If-Match`; what is required and not given is the run's own. */
  parameters?: Record<string, Json>;
  /** Instead of a good body of the run's own making. */
  body?: Json;
  /** Members of the body by their paths, such as `address.city`; the rest of it stays. */
  members?: Record<string, Json>;
  /** The credential: null for none, the run's own by default. */
  credential?: string | null;
  /** The status, or several that may be. */
  status?: number | number[];
  /**
   * What the answer has, by runtime expressions such as `$response.body#/items` and `$response.header.ETag`: a value; or
   * an object with one of `not`, `like` (a regular expression), `absent` (true), `about` (an instant within a minute),
   * and of lists `has`, `lacks` (a row with these members) or `rows` (all rows, by some members of each).
   */
  expect?: Record<string, Json>;
}

export interface HeaderLaw {
  name: string;
  /** A regular expression that the value matches; any value where absent. */
  pattern?: string;
  /** A regular expression for the paths of the operations that the law is about; all where absent. */
  paths?: string;
}

/** Practices that no standard demands. */
export const PRACTICES = {
  echo: 'a create, and a get after it, say what was sent',
  place: 'an error about the input names the member that is wrong',
  'authentication-first': 'without a credential a bad request is 401, as a good one is',
  'one-credential': 'a request with two different credentials is refused',
  'documented-credentials': 'a credential is taken in no way that the document does not have',
  method: 'an undeclared method is 405, and Allow has the documented methods alone',
  head: 'HEAD is served wherever GET is',
  options: 'OPTIONS answers with an Allow that names the methods of the path',
  location: 'Location leads to this origin',
  'put-replaces': 'PUT drops what is absent from its body',
  'no-wider': 'what a credential creates has no scope that it lacks itself',
  'unknown-alike': 'what belongs to another identity is answered as what does not exist',
} as const;

export type Practice = keyof typeof PRACTICES;
