import { mediaTypeFits, type Verdict } from '../http/decode.js';
import type { Answer } from '../http/send.js';
import type { Judge } from '../judge.js';
import type { Check, Severity } from '../report/types.js';
import type { Json, JsonObject } from '../spec/json.js';
import { type AnswerSpec, answerFor, type Operation } from '../spec/model.js';
import { flatten, typesOf } from '../spec/schema.js';

/** What an answer has against it. The message is the same for every answer with the same fault. */
export interface Finding {
  check: Check;
  message: string;
  expected: string;
  /** A fault unless given. A warning is about good practice, which no document and no standard demands. */
  severity?: Severity;
}

/** What a case demands of the status. */
export type Expectation = 'accepted' | 'refused' | 'unauthorized' | 'any';

/** Refusals that are about the state of things, so that even a perfect request may get them where they are documented. */
const STATES = new Set([402, 403, 404, 409, 410, 412, 423, 424, 425, 428, 429, 451]);

/** Holds an answer to the promises that do not depend on the case: no 5xx, documented, and of the documented shape. */
export function checkAnswer(operation: Operation, answer: Answer, judge: Judge, document: JsonObject): Finding[] {
  const { status } = answer;
  if (status >= 500) {
    return [
      {
        check: 'server-error',
        message: `the server fails with ${String(status)}`,
        expected: 'no 5xx, whatever is sent',
      },
    ];
  }
  const documented = answerFor(operation, status);
  if (documented === undefined) {
    const known = operation.answers.map((each) => each.status).join(', ') || 'none';
    return [{ check: 'status', message: `${String(status)} is not documented`, expected: `one of ${known}` }];
  }
  return [...checkHeaders(documented, answer, judge, document), ...checkContent(operation, documented, answer, judge)];
}

function checkHeaders({ headers }: AnswerSpec, answer: Answer, judge: Judge, document: JsonObject): Finding[] {
  const { status } = answer;
  return headers.flatMap(({ name, required, schema, pointer }): Finding[] => {
    const given = answer.headers[name.toLowerCase()];
    if (given === undefined) {
      if (!required) return [];
      return [{ check: 'headers', message: `${String(status)} comes without ${name}`, expected: `the header ${name}` }];
    }
    if (pointer === undefined) return [];
    return [given].flat().flatMap((text): Finding[] => {
      const objections = judge.objections('response', pointer, headerValue(flatten(document, schema), text));
      if (objections.length === 0) return [];
      const message = `${name} of ${String(status)} does not fit its schema`;
      return [{ check: 'headers', message, expected: `${name}: ${objections.join('; ')}` }];
    });
  });
}

function headerValue(schema: Parameters<typeof typesOf>[0], text: string): Json {
  const types = typesOf(schema);
  if (types.includes('string') || types.length === 0) return text;
  if ((types.includes('integer') || types.includes('number')) && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (types.includes('boolean') && /^(true|false)$/.test(text)) return text === 'true';
  if (types.includes('array')) return text.split(/, ?/);
  return text;
}

function checkContent(operation: Operation, { content }: AnswerSpec, answer: Answer, judge: Judge): Finding[] {
  const status = String(answer.status);
  if (operation.method === 'HEAD' || answer.status === 304) return [];
  if (content.length === 0) {
    if (answer.text === '') return [];
    return [{ check: 'body', message: `${status} has a body where none is documented`, expected: 'no body' }];
  }
  const type = answer.headers['content-type'];
  const documented = content.map(({ mediaType }) => mediaType).join(' or ');
  if (type === undefined) {
    return [{ check: 'content-type', message: `${status} comes without a media type`, expected: documented }];
  }
  const media = content.find(({ mediaType }) => mediaTypeFits(type, mediaType));
  if (media === undefined) {
    const message = `${status} is ${type}, which is not documented`;
    return [{ check: 'content-type', message, expected: documented }];
  }
  const [, charset = 'utf-8'] = /;\s*charset="?([^";\s]+)/i.exec(type) ?? [];
  if (/[/+]json\b/i.test(type) && !/^(utf-?8|us-ascii)$/i.test(charset))
    return [{ check: 'content-type', message: `${status} is JSON in ${charset}`, expected: 'UTF-8 (RFC 8259, 8.1)' }];
  if (media.pointer === undefined) return [];
  let value: Json = answer.text;
  if (/[/+]json\b/.test(type)) {
    try {
      value = JSON.parse(answer.text) as Json;
    } catch {
      return [{ check: 'body', message: `${status} is not JSON`, expected: 'a body of JSON' }];
    }
  }
  const objections = judge.objections('response', media.pointer, value);
  if (objections.length === 0) return [];
  const where = objections.map((objection) => objection.replace(/\/\d+(?=\/|\s)/g, '/*'));
  return [
    {
      check: 'body',
      message: `the body of ${status} does not fit its schema: ${where[0] ?? ''}`,
      expected: where.join('; '),
    },
  ];
}

/** What is demanded of the status, given what the spec says of the request. */
export function expectationOf({ kind }: Verdict): Expectation {
  return kind === 'valid' ? 'accepted' : kind === 'invalid' ? 'refused' : 'any';
}

/**
 * Holds the status to what the case demands. Valid data is accepted by 2xx or 3xx, or by a documented refusal that is
 * about state; 401 counts as state only of an operation that needs no credential, such as a login.
 */
export function checkStatus(
  operation: Operation,
  { status }: Answer,
  expectation: Expectation,
  secured: boolean,
  why: string,
): Finding[] {
  if (status >= 500 || expectation === 'any') return [];
  if (expectation === 'unauthorized') {
    if (status === 401) return [];
    return [{ check: 'authentication', message: `${why} gets ${String(status)}`, expected: '401' }];
  }
  if (expectation === 'refused') {
    if (status >= 400) return [];
    return [{ check: 'refusal', message: `${why} gets ${String(status)}`, expected: 'a refusal (4xx)' }];
  }
  if (status < 400) return [];
  if (status === 401 && secured) {
    return [{ check: 'authentication', message: `${why} gets 401 with a good credential`, expected: 'no 401' }];
  }
  const isState = STATES.has(status) || (status === 401 && !secured);
  if (isState && answerFor(operation, status) !== undefined) return [];
  const expected = 'a success, or a documented refusal that is about state (404, 409, 429 ...)';
  return [{ check: 'acceptance', message: `${why} gets ${String(status)}`, expected }];
}
