import { randomUUID } from 'node:crypto';

// An API of notes in a dozen styles: what all of them share. Each style has a document that says how its answers look.

export interface Note {
  id: number | string;
  title: string;
  text: string | null;
  tags: string[];
  pinned: boolean;
  priority: number;
  createdAt: string;
}

export const TOKENS: Record<string, string> = {
  'ada-token-0123456789abcdef': 'ada',
  'ben-token-0123456789abcdef': 'ben',
};
export const [ADA = '', BEN = ''] = Object.keys(TOKENS);

export const members = {
  title: { type: 'string', minLength: 1, maxLength: 80 },
  text: { type: ['string', 'null'], maxLength: 500, default: null },
  tags: { type: 'array', maxItems: 5, items: { type: 'string', minLength: 1, maxLength: 20 }, default: [] },
  pinned: { type: 'boolean', default: false },
  priority: { type: 'integer', minimum: 1, maximum: 5, default: 3 },
};
export const NewNote = { type: 'object', required: ['title'], properties: members };
export const NoteEdit = {
  type: 'object',
  properties: Object.fromEntries(
    Object.entries(members).map(([name, { ...schema }]) => [name, { ...schema, default: undefined }]),
  ),
};

export interface Refusal {
  field: string;
  message: string;
}
export const isRefusal = (value: object): value is Refusal => 'field' in value;

const isText = (value: unknown, least: number, most: number): value is string =>
  typeof value === 'string' && Array.from(value).length >= least && Array.from(value).length <= most;

/** What is wrong with each member that is sent. */
const RULES: Record<keyof typeof members, (value: unknown) => boolean> = {
  title: (value) => isText(value, 1, 80),
  text: (value) => value === null || isText(value, 0, 500),
  tags: (value) => Array.isArray(value) && value.length <= 5 && value.every((tag) => isText(tag, 1, 20)),
  pinned: (value) => typeof value === 'boolean',
  priority: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 5,
};

/** The members of a body, without those that are unknown; or what is wrong. */
export function readNote(value: unknown, isWhole: boolean): Partial<Note> | Refusal {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { field: 'body', message: 'must be an object' };
  const sent = Object.entries(value).filter(([name]) => Object.hasOwn(RULES, name));
  if (isWhole && !Object.hasOwn(value, 'title')) return { field: 'title', message: 'is required' };
  const [wrong] = sent.find(([name, member]) => !RULES[name as keyof typeof RULES](member)) ?? [];
  return wrong === undefined ? Object.fromEntries(sent) : { field: wrong, message: 'is not valid' };
}

/** Notes in memory, each of one owner. */
export function createNotes(ids: 'integer' | 'uuid' = 'integer') {
  const notes: { owner: string; note: Note }[] = [];
  let last = 0;
  return {
    of: (owner: string): Note[] => notes.filter((each) => each.owner === owner).map(({ note }) => note),
    find: (owner: string, id: string): Note | undefined =>
      notes.find(({ owner: whose, note }) => whose === owner && String(note.id) === id.toLowerCase())?.note,
    add(owner: string, wish: Partial<Note>): Note {
      const id = ids === 'integer' ? ++last : randomUUID();
      const createdAt = new Date().toISOString();
      const note = { id, title: '', text: null, tags: [], pinned: false, priority: 3, ...wish, createdAt };
      notes.push({ owner, note });
      return note;
    },
    remove(note: Note): void {
      notes.splice(
        notes.findIndex((each) => each.note === note),
        1,
      );
    },
  };
}

/** A whole number of a query, within bounds; undefined where it is none. */
export function numberIn(text: string | null | undefined, assumed: number, least: number, most: number) {
  if (text === null || text === undefined) return assumed;
  return /^[+-]?\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined;
}

export type Paging = 'offset' | 'page' | 'zero' | 'cursor' | 'none';

const query = (name: string, schema: object) => ({ name, in: 'query', schema });
const PARAMETERS: Record<Paging, object[]> = {
  offset: [
    query('limit', { type: 'integer', minimum: 1, maximum: 50, default: 20 }),
    query('offset', { type: 'integer', minimum: 0, maximum: 10_000, default: 0 }),
  ],
  page: [
    query('page', { type: 'integer', minimum: 1, maximum: 10_000 }),
    query('page_size', { type: 'integer', minimum: 1, maximum: 50, default: 20 }),
  ],
  zero: [
    query('page', { type: 'integer', minimum: 0, maximum: 10_000, default: 0 }),
    query('size', { type: 'integer', minimum: 1, maximum: 50, default: 20 }),
  ],
  cursor: [
    query('limit', { type: 'integer', minimum: 1, maximum: 50, default: 20 }),
    query('cursor', { type: 'string', minLength: 1, maxLength: 100 }),
  ],
  none: [],
};

export interface Style {
  /** The path of the collection. */
  path?: string;
  ids?: 'integer' | 'uuid';
  paging: Paging;
  /** The schema of a list around `Note`. */
  list: object;
  /** Of one note, where it is not the note itself. */
  one?: object;
  edit?: 'patch' | 'put';
  /** The status of bad input. */
  bad: number;
  /** Statuses of bodies that cannot be read. */
  unread?: number[];
  problem: object;
  problemType?: string;
  /** Of bad input alone, where it is told otherwise. */
  badProblem?: object;
  scheme?: object;
  /** Whether a new note's answer has its Location. */
  located?: boolean;
}

export const NOTE = { $ref: '#/components/schemas/Note' };

export function documentOf({
  path = '/notes',
  ids = 'integer',
  paging,
  list,
  one = NOTE,
  edit = 'patch',
  bad,
  unread = [],
  problem,
  problemType = 'application/json',
  badProblem = problem,
  scheme = { type: 'http', scheme: 'bearer' },
  located = false,
}: Style) {
  const body = (schema: object, type = 'application/json') => ({
    description: 'a body',
    content: { [type]: { schema } },
  });
  const refused = (...statuses: number[]) =>
    Object.fromEntries(
      statuses.map((status) => [
        status,
        body({ $ref: `#/components/schemas/${status === bad ? 'Bad' : 'Problem'}` }, problemType),
      ]),
    );
  const asked = (schema: string) => ({
    requestBody: {
      required: true,
      content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } },
    },
  });
  const id =
    ids === 'uuid' ? { type: 'string', format: 'uuid' } : { type: 'integer', minimum: 1, maximum: 2_147_483_647 };
  const item = path.endsWith('/') ? `${path}{id}/` : `${path}/{id}`;
  const Location = { required: true, schema: { type: 'string' } };
  return {
    openapi: '3.1.0',
    info: { title: 'Notes', version: '1' },
    security: [{ token: [] }],
    paths: {
      [path]: {
        get: {
          operationId: 'listNotes',
          parameters: [...PARAMETERS[paging], query('pinned', { type: 'boolean' })],
          responses: { 200: body(list), ...refused(bad, 401, ...(paging === 'page' ? [404] : [])) },
        },
        post: {
          operationId: 'createNote',
          ...asked('NewNote'),
          responses: {
            201: { ...body(one), ...(located && { headers: { Location } }) },
            ...refused(bad, 401, ...unread),
          },
        },
      },
      [item]: {
        parameters: [{ name: 'id', in: 'path', required: true, schema: id }],
        get: { operationId: 'getNote', responses: { 200: body(one), ...refused(bad, 401, 404) } },
        [edit]: {
          operationId: 'editNote',
          ...asked(edit === 'put' ? 'NewNote' : 'NoteEdit'),
          responses: { 200: body(one), ...refused(bad, 401, 404, ...unread) },
        },
        delete: { operationId: 'deleteNote', responses: { 204: { description: 'gone' }, ...refused(bad, 401, 404) } },
      },
    },
    components: {
      securitySchemes: { token: scheme },
      schemas: {
        NewNote,
        NoteEdit,
        Note: {
          type: 'object',
          required: ['id', ...Object.keys(members), 'createdAt'],
          properties: { id, ...members, createdAt: { type: 'string', format: 'date-time' } },
        },
        Problem: problem,
        Bad: badProblem,
      },
    },
  };
}

/** The schema of an object of these members, all of them required. */
export const object = (properties: object, required = Object.keys(properties)) => ({
  type: 'object',
  required,
  properties,
});
export const text = { type: 'string' };
