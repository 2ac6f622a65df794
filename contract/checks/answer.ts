import type { Json, JsonObject } from '../document/json.js';
import { type AnswerHeader, type AnswerSpec, answerFor, isSecured, type Operation } from '../document/model.js';
import { flatten } from '../document/schema.js';
import { allTypesOf, meaningOf, meaningsOf, Unclear } from '../http/coerce.js';
import { mediaTypeFits, type Verdict } from '../http/decode.js';
import type { Answer } from '../http/send.js';
import { Ambiguous, readStyled } from '../http/styles.js';
import type { Judge } from '../judge.js';
import type { Check, Severity } from '../report/types.js';
import { isInevitable, listsNoSuccess } from './undocumented.js';

/** What a check found wrong with an answer. The message is the same for every answer with the same fault. */
export interface Finding {
  check: Check;
  message: string;
  expected: string;
  /** `fault` by default. A `warning` is about good practice, which neither the document nor a standard requires. */
  severity?: Severity;
}

/** The kind of status that a case expects: success, any 4xx or 5xx, exactly 401, or anything. */
export type Expectation = 'accepted' | 'rejected' | 'unauthorized' | 'any';

/** Statuses that depend on the server's state, so that a valid request may get them if they are documented. */
const STATES = new Set([402, 403, 404, 409, 410, 412, 423, 424, 425, 428, 429, 451]);

/** Statuses whose answers never have a body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5). */
const BODILESS = new Set([204, 205, 304]);

/** Checks what applies to every answer: no 5xx, a documented status, and headers and a body that fit their schemas. */
export function checkAnswer(
  operation: Operation,
  verdict: Verdict,
  answer: Answer,
  judge: Judge,
  document: JsonObject,
  note: (text: string) => void,
): Finding[] {
  const { status } = answer;
  const documented = answerFor(operation, status);
  if (status >= 500 && !(documented !== undefined && listsNoSuccess(operation))) {
    return [
      {
        check: 'server-error',
        message: `the server fails with ${String(status)}`,
        expected: 'no 5xx, whatever is sent',
      },
    ];
  }
  if (documented === undefined) {
    if (operation.answers.length === 0) {
      note('the document lists no answers');
      return [];
    }
    const severity = isInevitable(operation, status, verdict) ? 'warning' : 'fault';
    const expected = `one of ${operation.answers.map((each) => each.status).join(', ')}`;
    return [{ check: 'status', message: `${String(status)} is not documented`, expected, severity }];
  }
  return [
    ...checkHeaders(documented, answer, judge, document),
    ...checkContent(operation, documented, answer, judge, document, note),
  ];
}

function checkHeaders({ headers }: AnswerSpec, answer: Answer, judge: Judge, document: JsonObject): Finding[] {
  const { status } = answer;
  return headers.flatMap((header): Finding[] => {
    const { name, required, pointer } = header;
    const given = answer.headers[name.toLowerCase()];
    if (given === undefined) {
      if (!required) return [];
      return [{ check: 'headers', message: `${String(status)} comes without ${name}`, expected: `the header ${name}` }];
    }
    if (pointer === undefined) return [];
    return [given].flat().flatMap((text): Finding[] => {
      const readings = headerValues(document, header, text).map((value) =>
        judge.objections('response', pointer, value),
      );
      const [first = []] = readings;
      if (readings.length === 0 || readings.some((objections) => objections.length === 0)) return [];
      const message = `${name} of ${String(status)} does not fit its schema`;
      return [{ check: 'headers', message, expected: `${name}: ${first.join('; ')}` }];
    });
  });
}

/** The values that a header can have; none if its text can be read in several ways. */
function headerValues(document: JsonObject, { name, json, explode, schema }: AnswerHeader, text: string): Json[] {
  if (json) {
    try {
      return [JSON.parse(text) as Json];
    } catch {
      return [text];
    }
  }
  const types = allTypesOf(document, schema);
  try {
    if (types.has('object')) {
      const texts = [{ raw: text, text: text.replaceAll(/, +/g, ',') }];
      const pieces = readStyled({ name, in: 'header', style: 'simple', explode }, 'object', texts);
      const { properties = {} } = flatten(document, schema);
      const pairs = (typeof pieces === 'string' ? [] : pieces).filter((piece) => Array.isArray(piece));
      return [Object.fromEntries(pairs.map(([key, inner]) => [key, meaningOf(document, properties[key], inner)]))];
    }
    const { items } = flatten(document, schema);
    const list = types.has('array') ? [text.split(/, */).map((item) => meaningOf(document, items, item))] : [];
    return [...list, ...(types.size === list.length && types.size > 0 ? [] : meaningsOf(document, schema, text))];
  } catch (error) {
    if (error instanceof Unclear || error instanceof Ambiguous) return [];
    throw error;
  }
}

function checkContent(
  { method }: Operation,
  { content }: AnswerSpec,
  answer: Answer,
  judge: Judge,
  document: JsonObject,
  note: (text: string) => void,
): Finding[] {
  const status = String(answer.status);
  if (method === 'HEAD' || BODILESS.has(answer.status)) return [];
  if (content.length === 0) {
    if (answer.text !== '') note(`${status} has a body that the document does not describe`);
    return [];
  }
  const type = answer.headers['content-type'];
  const documented = content.map(({ mediaType }) => mediaType).join(' or ');
  if (type === undefined) {
    if (answer.cut !== undefined && answer.text === '') return [];
    return [{ check: 'content-type', message: `${status} comes without a media type`, expected: documented }];
  }
  const media = mediaOf(content, type);
  if (media === undefined) {
    const message = `${status} is ${type}, which is not documented`;
    return [{ check: 'content-type', message, expected: documented }];
  }
  const [, charset = 'utf-8'] = /;\s*charset="?([^";\s]+)/i.exec(type) ?? [];
  if (isJson(type) && !/^(utf-?8|us-ascii)$/i.test(charset))
    return [{ check: 'content-type', message: `${status} is JSON in ${charset}`, expected: 'UTF-8 (RFC 8259, 8.1)' }];
  if (answer.cut !== undefined) {
    note(`the body of ${status} is not checked: ${answer.cut}`);
    return [];
  }
  if (media.pointer === undefined && !isJson(type) && !isJsonLines(type)) return [];
  const findings: Finding[] = [];
  /** Each is a way to read the body: values that must all fit the schema. */
  let readings: Json[][];
  if (isJson(type)) {
    const text = answer.text.replace(/^\uFEFF/, '');
    if (text.length < answer.text.length) findings.push(BYTE_ORDER_MARK);
    try {
      readings = [[JSON.parse(text) as Json]];
    } catch {
      return [{ check: 'body', message: `${status} is not JSON`, expected: 'a body of JSON' }];
    }
  } else if (isJsonLines(type)) {
    const lines = linesOf(answer.text);
    if (lines === undefined)
      return [{ check: 'body', message: `${status} is not JSON Lines`, expected: 'JSON on each line' }];
    // A schema describes each line, or all of them as a list, or the text.
    readings = [lines, [lines], [answer.text]];
  } else readings = textValues(document, media.schema, answer.text).map((value) => [value]);
  const { pointer } = media;
  if (pointer === undefined) return findings;
  const objecting = readings.map((values) => firstObjections(values, pointer, judge));
  const [objections = []] = objecting;
  if (objecting.some((each) => each.length === 0) || objections.length === 0) return findings;
  const where = objections.map((objection) => objection.replace(/\/\d+(?=\/|\s)/g, '/*'));
  const message = `the body of ${status} does not fit its schema: ${where[0] ?? ''}`;
  return [...findings, { check: 'body', message, expected: where.join('; ') }];
}

const BYTE_ORDER_MARK: Finding = {
  check: 'body',
  message: 'the JSON begins with a byte order mark',
  expected: 'no byte order mark (RFC 8259, 8.1: MUST NOT)',
};

const isJson = (type: string) => /[/+]json\s*(;|$)/i.test(type);
const isJsonLines = (type: string) => /\/(x-)?(ndjson|jsonl|jsonlines)\s*(;|$)/i.test(type);

/** The values of JSON Lines; undefined if a line is not JSON. */
function linesOf(text: string): Json[] | undefined {
  try {
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as Json);
  } catch {
    return undefined;
  }
}

function firstObjections(values: Json[], pointer: string, judge: Judge): string[] {
  for (const value of values) {
    const objections = judge.objections('response', pointer, value);
    if (objections.length > 0) return objections;
  }
  return [];
}

/** The documented media type of an answer: the same with parameters, else without them, else a range that covers it. */
function mediaOf(content: AnswerSpec['content'], type: string): AnswerSpec['content'][number] | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/\s+/g, '');
  const fitting = content.filter(({ mediaType }) => mediaTypeFits(type, mediaType));
  const isRange = (mediaType: string) => mediaType.includes('*');
  return (
    fitting.find(({ mediaType }) => plain(mediaType) === plain(type)) ??
    fitting.find(({ mediaType }) => !isRange(mediaType)) ??
    fitting.find(({ mediaType }) => !mediaType.startsWith('*')) ??
    fitting[0]
  );
}

/** The values that a body other than JSON can have; none if its schema allows objects or lists, such as for XML. */
function textValues(document: JsonObject, schema: AnswerSpec['content'][number]['schema'], text: string): Json[] {
  const types = allTypesOf(document, schema);
  if (types.has('object') || types.has('array')) return [];
  try {
    return meaningsOf(document, schema, text.trim() === text ? text : text.replace(/\r?\n$/, '')).concat(text);
  } catch (error) {
    if (error instanceof Unclear) return [];
    throw error;
  }
}

/** The kind of status that a request should get, by what the document says about it. */
export function expectationOf({ kind }: Verdict): Expectation {
  return kind === 'valid' ? 'accepted' : kind === 'invalid' ? 'rejected' : 'any';
}

/**
 * Checks that an answer has the expected kind of status. A valid request must get 2xx or 3xx, or a documented status
 * that depends on state. 401 is such a status only for an operation that needs no credential, such as a login.
 */
export function checkStatus(
  operation: Operation,
  { status }: Answer,
  expectation: Expectation,
  verdict: Verdict,
  why: string,
): Finding[] {
  if (status >= 500 || expectation === 'any') return [];
  if (expectation === 'unauthorized') {
    if (status === 401) return [];
    return [{ check: 'authentication', message: `${why} gets ${String(status)}`, expected: '401' }];
  }
  if (expectation === 'rejected') {
    if (status >= 400) return [];
    return [{ check: 'refusal', message: `${why} gets ${String(status)}`, expected: 'a rejection (4xx)' }];
  }
  if (status < 400 || (listsNoSuccess(operation) && answerFor(operation, status) !== undefined)) return [];
  const secured = isSecured(operation);
  if (status === 401 && secured) {
    return [{ check: 'authentication', message: `${why} gets 401 with a valid credential`, expected: 'no 401' }];
  }
  const isState = STATES.has(status) || (status === 401 && !secured);
  if (isState && (answerFor(operation, status) !== undefined || isInevitable(operation, status, verdict))) return [];
  const expected = 'a success, or a documented status that depends on state (404, 409, 429 ...)';
  return [{ check: 'acceptance', message: `${why} gets ${String(status)}`, expected }];
}
