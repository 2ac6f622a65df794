import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Problem } from '../../generated/types.gen.js';
import { toLoc } from '../contract/problems.js';
import { invalidInput, ServiceError } from '../errors.js';

/** Bytes. The largest honest body has less than 2 KiB. */
const BODY_LIMIT = 65_536;

/**
 * The query's parameters by name. Throws `invalid_input` for one that is sent twice and for what is not UTF-8 in
 * percent-encoding.
 */
export function readQuery(search: string): Record<string, string> {
  return readParameters('query', search);
}

function readParameters(place: 'query' | 'body', text: string): Record<string, string> {
  const parameters = Object.create(null) as Record<string, string>;
  if (text === '') return parameters;
  if (!isPercentEncoded(text)) {
    throw invalidInput([place], 'value_error', 'Input should be UTF-8 in percent-encoding');
  }
  const problems: Problem[] = [];
  for (const [name, value] of new URLSearchParams(text)) {
    if (name in parameters) {
      problems.push({ loc: toLoc([place, name]), msg: 'Parameter should be sent once', type: 'repeated' });
    }
    parameters[name] = value;
  }
  if (problems.length > 0) throw new ServiceError('invalid_input', { problems: problems.slice(0, 64) });
  return parameters;
}

/** URLSearchParams would put U+FFFD wherever this says no. */
function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return /^[\x21-\x7e]*$/.test(text);
  } catch {
    return false;
  }
}

/**
 * The body as JSON, `limit` bytes at most; undefined where there is none. Throws `unsupported_media_type`, `payload_too_large`, and
 * `invalid_input` for what is no JSON in UTF-8.
 */
export async function readJson(request: IncomingMessage, limit = BODY_LIMIT): Promise<unknown> {
  const { headers } = request;
  if (!carriesBody(request)) return undefined;
  if (!isOfType('application/json', headers['content-type']) || !isIdentity(headers['content-encoding'])) {
    throw new ServiceError('unsupported_media_type');
  }
  if (Number(headers['content-length']) > limit) throw new ServiceError('payload_too_large');
  const bytes = await readBytes(request, limit);
  if (bytes.length === 0) return undefined;
  try {
    if (isUtf8(bytes)) return JSON.parse(withoutMark(bytes.toString()));
  } catch {
    // The parser's own message quotes the body.
  }
  throw invalidInput(['body'], 'json_invalid', 'The body is not valid JSON.');
}

/** A byte order mark is none of JSON, and no fault either (RFC 8259, section 8.1). */
function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/**
 * The body as a form's parameters, each sent once; undefined where there is none. Throws as `readJson` does, and
 * `invalid_input` for what is not UTF-8 in percent-encoding.
 */
export async function readForm(request: IncomingMessage): Promise<Record<string, string> | undefined> {
  const { headers } = request;
  if (!carriesBody(request)) return undefined;
  if (
    !isOfType('application/x-www-form-urlencoded', headers['content-type']) ||
    !isIdentity(headers['content-encoding'])
  ) {
    throw new ServiceError('unsupported_media_type', {
      detail: 'The body must be application/x-www-form-urlencoded in UTF-8 without a content encoding.',
    });
  }
  const bytes = await readBytes(request, BODY_LIMIT);
  return bytes.length === 0 ? undefined : readParameters('body', bytes.toString('latin1'));
}

/** For operations without one: a client that sends a body expects it to matter. Throws `invalid_input`. */
export async function rejectBody(request: IncomingMessage): Promise<void> {
  const bytes = await readBytes(request, BODY_LIMIT);
  if (bytes.length > 0) throw invalidInput(['body'], 'extra_forbidden', 'This request takes no body');
}

/** Whether there may be a body: one in chunks may still turn out to be empty. */
export function carriesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || !/^0*$/.test(headers['content-length'] ?? '');
}

function isOfType(wanted: string, contentType: string | undefined): boolean {
  if (contentType === wanted) return true;
  const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  return type === wanted && (charset === undefined || /^charset="?utf-8"?$/.test(charset));
}

function isIdentity(encoding: string | undefined): boolean {
  return encoding === undefined || encoding.toLowerCase() === 'identity';
}

function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    // Instead of taking four listeners away, which takes longer than all else here.
    let isDone = false;
    const take = (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      // The rest is read and dropped by Node once the answer is sent.
      if (size > limit) fail(new ServiceError('payload_too_large'));
    };
    const finish = () => {
      isDone = true;
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    };
    const fail = (error: Error) => {
      isDone = true;
      request.off('data', take);
      reject(error);
    };
    const abort = () => {
      if (!isDone) fail(new RequestAborted('the client went away before its body was complete'));
    };
    request.on('data', take).on('end', finish).on('error', fail).on('close', abort);
  });
}

/** Nobody is left to answer. */
export class RequestAborted extends Error {
  override name = 'RequestAborted';
}
