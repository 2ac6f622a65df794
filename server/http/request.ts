import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Problem } from '../../generated/types.gen.js';
import { toLoc } from '../contract/problems.js';
import { invalidInput, ServiceError } from '../errors.js';

/** The most bytes of a body. A body of ordinary use has less than 2 KiB. */
const BODY_LIMIT = 65_536;

/**
 * The query's parameters by name. Throws `invalid_input` for a parameter that is sent twice, and for a query that is not
 * UTF-8 in percent-encoding.
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

/** Whether `text` is UTF-8 in percent-encoding. URLSearchParams would replace anything else by U+FFFD. */
function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return /^[\x21-\x7e]*$/.test(text);
  } catch {
    return false;
  }
}

/**
 * The body, parsed as JSON; undefined if the request has no body. Throws `unsupported_media_type`, `payload_too_large` for
 * more than `limit` bytes, and `invalid_input` for a body that is not JSON in UTF-8.
 */
export async function readJson(request: IncomingMessage, limit = BODY_LIMIT): Promise<unknown> {
  return (await readJsonBytes(request, limit)).value;
}

/** The body as `readJson` returns it, and its bytes. */
export async function readJsonBytes(
  request: IncomingMessage,
  limit = BODY_LIMIT,
): Promise<{ value: unknown; bytes: Uint8Array }> {
  const { headers } = request;
  if (!carriesBody(request)) return { value: undefined, bytes: new Uint8Array() };
  if (!isOfType('application/json', headers['content-type']) || !isIdentity(headers['content-encoding'])) {
    throw new ServiceError('unsupported_media_type');
  }
  if (Number(headers['content-length']) > limit) throw new ServiceError('payload_too_large');
  const bytes = await readBytes(request, limit);
  if (bytes.length === 0) return { value: undefined, bytes };
  try {
    if (isUtf8(bytes)) return { value: JSON.parse(withoutMark(bytes.toString())), bytes };
  } catch {
    // The parser's own message is not used, because it quotes the body.
  }
  throw invalidInput(['body'], 'json_invalid', 'The body is not valid JSON.');
}

/** A parser may ignore a byte order mark, which is not part of JSON (RFC 8259, section 8.1). */
function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/**
 * The body's form parameters by name; undefined if the request has no body. Throws as `readJson` does, and `invalid_input`
 * for a parameter that is sent twice and for a body that is not UTF-8 in percent-encoding.
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

/** Throws `invalid_input` if the request has a body. A client that sends a body expects that it matters. */
export async function rejectBody(request: IncomingMessage): Promise<void> {
  const bytes = await readBytes(request, BODY_LIMIT);
  if (bytes.length > 0) throw invalidInput(['body'], 'extra_forbidden', 'This request takes no body');
}

/** Whether the request may have a body. A body in chunks may turn out to be empty. */
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
    // A flag takes far less time than removing four listeners.
    let isDone = false;
    const take = (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      // Node reads and drops the rest after the answer is sent.
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
      if (!isDone) fail(new RequestAborted('the client closed the connection before its body was complete'));
    };
    request.on('data', take).on('end', finish).on('error', fail).on('close', abort);
  });
}

/** The client closed the connection before its request was complete, so that no answer is possible. */
export class RequestAborted extends Error {
  override name = 'RequestAborted';
}
