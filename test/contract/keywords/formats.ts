import type { KeywordCase } from '../small/keyword.js';

/** For each format a text that fits it and one that does not. */
const FORMATS: Record<string, [right: string, wrong: string]> = {
  'date-time': ['2041-06-15T12:00:00.5+02:00', '2041-06-15T25:00:00Z'],
  date: ['2044-02-29', '2041-02-29'],
  time: ['12:00:00Z', '25:00:00Z'],
  duration: ['P1DT2H', 'P'],
  email: ['ada@example.org', 'ada'],
  hostname: ['api.example.org', '-api-'],
  ipv4: ['192.0.2.1', '192.0.2.256'],
  ipv6: ['2001:db8::1', '2001:db8::g'],
  uri: ['urn:isbn:1', 'no address'],
  'uri-reference': ['/a?b#c', '\\a b'],
  'uri-template': ['/a/{b}', '/a/{b'],
  uuid: ['019ab9d4-3c1e-7a52-9f0b-6c1d2e3f4a5b', '019ab9d43c1e7a529f0b6c1d2e3f4a5b'],
  'json-pointer': ['/a~1b', 'a'],
  'relative-json-pointer': ['1/a', '/a'],
  regex: ['^a$', '('],
};

/** One case for each format. */
export const FORMAT_CASES = Object.fromEntries(
  Object.entries(FORMATS).map(([format, [right, wrong]]): [string, KeywordCase] => [
    `format: ${format}`,
    { schema: { type: 'string', format }, without: { type: 'string' }, right, wrong },
  ]),
);
