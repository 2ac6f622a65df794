import { withValue } from './cases/slots.js';
import { atPointer, type Json, memberOf, membersOf } from './document/json.js';
import { identify } from './document/links.js';
import type { Operation, Spec } from './document/model.js';
import { CouldNotRun } from './errors.js';
import type { Exchange } from './exchange.js';
import type { Draft } from './http/draft.js';

/** The configured value of a parameter or a member of the body. */
export interface ConfiguredValue {
  place: 'path' | 'query' | 'header' | 'cookie' | 'body';
  name: string;
  /** The value to send, unless `from` is set. */
  value: Json;
  /** The operation whose answer contains the value: at the JSON pointer `at`, else in the first row. */
  from: { operation: Operation; at: string | undefined } | undefined;
}

type Values = Record<string, Record<string, Json>>;

/** Reads the option `values`. Throws `CouldNotRun` for an operation, parameter or body that the document lacks. */
export function readValues({ operations }: Spec, values: Values): (operation: Operation) => ConfiguredValue[] {
  const find = (id: string) => {
    const operation = operations.find((each) => each.id === id);
    if (operation === undefined)
      throw new CouldNotRun(`values name the operation ${id}, which the document does not have`);
    return operation;
  };
  const given = new Map<string, ConfiguredValue[]>();
  for (const [id, entries] of Object.entries(values)) {
    const owner = id === '*' ? undefined : find(id);
    given.set(
      id,
      Object.entries(entries).map(([key, value]) => {
        const [, place = '', name = ''] = /^(path|query|header|cookie|body)\.(.+)$/.exec(key) ?? [];
        if (place === '')
          throw new CouldNotRun(`the values of ${id} have the name ${key}; it must be like path.id or body.name`);
        const [, source = '', at] = (typeof value === 'string' && /^from (\S+)(?: at (\/\S*))?$/.exec(value)) || [];
        const from = source === '' ? undefined : { operation: find(source), at };
        const one = { place: place as ConfiguredValue['place'], name, value, from };
        if (owner && !takes(owner, one))
          throw new CouldNotRun(`the values of ${id} name ${key}, which it does not have`);
        return one;
      }),
    );
  }
  return (operation) => [
    ...(given.get('*') ?? []).filter((each) => takes(operation, each)),
    ...(given.get(operation.id) ?? []),
  ];
}

function takes({ parameters, body }: Operation, { place, name }: ConfiguredValue): boolean {
  if (place === 'body') return body !== undefined;
  return parameters.some((parameter) => parameter.in === place && parameter.name === name);
}

/** The draft with a configured value. */
export function withConfigured(draft: Draft, { place, name }: ConfiguredValue, value: Json): Draft {
  if (place !== 'body') return { ...draft, [place]: { ...draft[place], [name]: value } };
  const body = withValue(draft.body ?? {}, name.split('.'), value);
  return body === undefined ? draft : { ...draft, body };
}

/** The value that an answer contains: at the pointer `at`, else in its first row, else in the answer itself. */
export function valueIn({ value }: Exchange, name: string, at: string | undefined): Json | undefined {
  if (at !== undefined) return atPointer(value ?? null, at);
  const isList = (member: unknown): member is Json[] => Array.isArray(member);
  const rows = isList(value)
    ? value
    : membersOf(value)
        .map(([, member]) => member)
        .find(isList);
  const row = rows === undefined ? value : rows[0];
  return memberOf(row, name) ?? identify(row, name) ?? identify(row, 'id');
}
