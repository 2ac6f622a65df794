import { describe, expect, test } from 'vitest';
import { type ContractOptions, toSummary } from '../../contract/index.js';
import type { SmallReply, SmallRequest } from './planted/small.js';
import { body, document, tested } from './small/document.js';
import { isInstant } from './small/instant.js';

// A list whose rows lack members: some are null, some absent, some empty. A right server, and servers that are wrong in
// what they do with such rows.

interface Row {
  id: number;
  title: string;
  nick?: string | null;
  color?: string | null;
  pinned?: true;
  due: string | null;
  day?: string;
  seenAt: string;
  size?: number | null;
  tags: (string | null)[] | null;
}

const ROWS: Row[] = [
  { id: 1, title: 'mango', nick: null, color: 'red', due: null, seenAt: '2024-05-06T07:08:09Z', tags: ['sweet', ''] },
  {
    id: 2,
    title: '\uFF21pple',
    color: '',
    pinned: true,
    due: '2031-01-01T00:00:00Z',
    day: '2020-01-01',
    seenAt: '2024-05-06T07:08:09.5Z',
    size: null,
    tags: [null],
  },
  {
    id: 3,
    title: '\u{1F34C}banana',
    nick: null,
    color: null,
    due: '2032-01-01T00:00:00Z',
    day: '2999-01-01',
    seenAt: '2024-05-06T07:08:09.25Z',
    size: 30,
    tags: null,
  },
  {
    id: 4,
    title: 'cherry',
    color: 'blue',
    due: null,
    day: '2020-02-02',
    seenAt: '2024-05-06T07:08:08Z',
    size: 4,
    tags: ['sour', 'sweet'],
  },
  {
    id: 5,
    title: 'zebra',
    nick: null,
    color: ' red',
    pinned: true,
    due: '2030-01-01T00:00:00Z',
    seenAt: '2024-05-06T07:08:10Z',
    size: 100,
    tags: [],
  },
];

const text = { type: 'string' };
const orNull = (schema: object) => ({ anyOf: [schema, { type: 'null' }] });
const instant = { type: 'string', format: 'date-time' };
const Row = {
  type: 'object',
  required: ['id', 'title', 'due', 'seenAt', 'tags'],
  properties: {
    id: { type: 'integer' },
    title: text,
    nick: { type: ['string', 'null'] },
    color: { type: ['string', 'null'] },
    pinned: { type: 'boolean' },
    due: orNull(instant),
    day: { type: 'string', format: 'date' },
    seenAt: instant,
    size: { type: ['integer', 'null'] },
    tags: orNull({ type: 'array', items: { type: ['string', 'null'] } }),
  },
};
const query = (name: string, schema: object) => ({ name, in: 'query', schema });
const word = { type: 'string', minLength: 0, maxLength: 100 };
const flag = { type: 'boolean' };
const spec = {
  ...document({
    '/rows': {
      get: {
        operationId: 'listRows',
        parameters: [
          query('q', word),
          query('color', { type: ['string', 'null'], maxLength: 100 }),
          query('pinned', flag),
          query('tag', word),
          query('dueAfter', instant),
          query('dueBefore', instant),
          query('dueless', flag),
          query('past', flag),
          query('sort', { type: 'string', enum: ['seenAt', '-seenAt', 'title', 'size', '-size'] }),
        ],
        responses: { 200: body({ type: 'array', items: Row }), 400: { description: 'no' } },
      },
    },
  }),
  openapi: '3.1.0',
};

const list = (parameter: string, member: string | string[], compare: 'contains') => ({
  operation: 'listRows',
  parameter,
  member,
  compare,
});
const laws: ContractOptions['laws'] = {
  filters: [
    list('q', ['title', 'nick', 'tags'], 'contains'),
    { ...list('color', 'color', 'contains'), compare: 'equals' },
    { ...list('tag', 'tags', 'contains'), compare: 'includes' },
    { ...list('dueAfter', 'due', 'contains'), compare: 'after' },
    { ...list('dueBefore', 'due', 'contains'), compare: 'before' },
    { ...list('dueless', 'due', 'contains'), compare: 'isNull' },
    { ...list('past', 'day', 'contains'), compare: 'before', value: true, to: 'now' },
  ],
  sorts: [
    { operation: 'listRows', parameter: 'sort', value: 'title', member: 'title' },
    { operation: 'listRows', parameter: 'sort', value: 'size', member: 'size' },
    { operation: 'listRows', parameter: 'sort', value: '-size', member: 'size', descending: true, nulls: 'last' },
  ],
  workflows: [
    {
      rule: 'the first row has no size',
      steps: [
        {
          operation: 'listRows',
          expect: { '$response.body#': { has: { id: 1, size: { absent: true }, nick: null } } },
        },
      ],
    },
  ],
};

const FAULTS = {
  'a search finds rows without the text': /the filter q returns rows that do not match/,
  'a search leaves out rows without a nick': /the filter q omits matching rows/,
  'a color finds rows of none': /the filter color returns rows that do not match/,
  'a tag finds rows without tags': /the filter tag returns rows that do not match/,
  'what is never due is due after any time': /the filter dueAfter returns rows that do not match/,
  'what is never due is due before any time': /the filter dueBefore returns rows that do not match/,
  'what is never due is left out': /the filter dueless omits matching rows/,
  'what has no day is past': /the filter past returns rows that do not match/,
  'what is not pinned is pinned': /pinned returns rows with another pinned/,
  'what is pinned is left out': /pinned omits rows with that pinned/,
  'instants are sorted as texts': /sort=seenAt does not sort by seenAt/,
  'titles are sorted by UTF-16': /sort=title does not sort by title/,
  'sizes are sorted as texts': /sort=size does not sort by size/,
  'what has no size is the largest': /sort=-size does not sort by size/,
  'the first row has a size of null': /the first row has no size.*is not as expected/,
} as const;
type Fault = keyof typeof FAULTS;

function rows(fault?: Fault): (request: SmallRequest) => SmallReply {
  const has = (name: Fault) => fault === name;
  const codePoints = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const sorts: Record<string, (a: Row, b: Row) => number> = {
    seenAt: (a, b) =>
      has('instants are sorted as texts') ? codePoints(a.seenAt, b.seenAt) : at(a.seenAt) - at(b.seenAt),
    '-seenAt': (a, b) => at(b.seenAt) - at(a.seenAt),
    title: (a, b) => (has('titles are sorted by UTF-16') ? (a.title < b.title ? -1 : 1) : codePoints(a.title, b.title)),
    size: (a, b) =>
      has('sizes are sorted as texts')
        ? codePoints(String(a.size), String(b.size))
        : sizeOf(a, Infinity) - sizeOf(b, Infinity),
    '-size': (a, b) => {
      const least = has('what has no size is the largest') ? -1 : Infinity;
      return sizeOf(b, least) - sizeOf(a, least);
    },
  };
  return ({ query: given }) => {
    const wish = (name: string) => given.get(name) ?? undefined;
    const [q, color, tag] = ['q', 'color', 'tag'].map((name) => wish(name) || undefined);
    const sort = wish('sort');
    const [after, before] = [wish('dueAfter'), wish('dueBefore')];
    const [pinned, dueless, past] = ['pinned', 'dueless', 'past'].map(wish);
    const areFlags = [pinned, dueless, past].every((each) => each === undefined || /^(true|false)$/.test(each));
    const areInstants = [after, before].every((each) => each === undefined || isInstant(each));
    if (!areFlags || !areInstants || (sort !== undefined && !Object.hasOwn(sorts, sort))) return { status: 400 };
    if ([q, tag, color].some((each) => each !== undefined && Array.from(each).length > 100)) return { status: 400 };
    const kept = ROWS.filter((row) => {
      const texts = [row.title, row.nick, ...(row.tags ?? [])].filter((each) => typeof each === 'string');
      const due = row.due === null ? Number.NaN : at(row.due);
      const isPinned = row.pinned === true;
      return [
        q === undefined ||
          texts.some((each) => each.toLowerCase().includes(q.toLowerCase())) ||
          (has('a search finds rows without the text') && row.nick === null),
        q === undefined || !has('a search leaves out rows without a nick') || typeof row.nick === 'string',
        color === undefined || row.color === color || (has('a color finds rows of none') && row.color === null),
        tag === undefined ||
          row.tags?.includes(tag) === true ||
          (has('a tag finds rows without tags') && row.tags === null),
        after === undefined || due > at(after) || (has('what is never due is due after any time') && row.due === null),
        before === undefined ||
          due < at(before) ||
          (has('what is never due is due before any time') && row.due === null),
        dueless === undefined ||
          (String(row.due === null) === dueless && (row.due !== null || !has('what is never due is left out'))),
        past !== 'true' || (row.day === undefined ? has('what has no day is past') : Date.parse(row.day) < Date.now()),
        pinned === undefined ||
          (String(isPinned) === pinned && !(has('what is pinned is left out') && isPinned)) ||
          (has('what is not pinned is pinned') && !isPinned),
      ].every(Boolean);
    });
    const shown = sort === undefined ? kept : kept.toSorted(sorts[sort]);
    const first = has('the first row has a size of null') ? { size: null } : {};
    return { status: 200, body: shown.map((row) => (row.id === 1 ? { ...row, ...first } : row)) };
  };
}

const at = (text: string) => Date.parse(text);
const sizeOf = ({ size }: Row, none: number) => (size === undefined || size === null ? none : size);
const options = { laws, fuzzRuns: 1 };

describe('rows that lack members', { timeout: 60_000 }, () => {
  test('a right server is told no fault', async () => {
    const report = await tested(spec, rows(), options);
    expect(report.failures, toSummary(report)).toEqual([]);
    expect(report.held, toSummary(report)).toBe(true);
  });

  test.each(Object.entries(FAULTS))('finds: %s', async (fault, message) => {
    const report = await tested(spec, rows(fault as Fault), options);
    const found = report.failures.filter((each) => message.test(each.message));
    expect(found.length, toSummary(report)).toBeGreaterThan(0);
  });
});
