import { LatchkeyError } from '../../../client/index.js';
import { Explained } from '../explained.js';
import * as words from '../words.js';
import { Button } from './button.js';

/** What went wrong, in words, with the request id by which the operator finds it in the log. */
export function Problem({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  if (error === undefined) return null;
  const requestId = error instanceof LatchkeyError ? error.requestId : undefined;
  return (
    <div class="problem" role="alert">
      <p>{sentenceOf(error)}</p>
      {requestId !== undefined && (
        <p class="quiet">
          <code>{words.requestId(requestId)}</code>
        </p>
      )}
      {retry && <Button onClick={retry}>{words.tryAgain}</Button>}
    </div>
  );
}

export function sentenceOf(error: unknown): string {
  if (error instanceof Explained) return error.message;
  if (!(error instanceof LatchkeyError)) return words.unknownError;
  if (error.code === 'invalid_input') {
    return error.problems.map(({ field, message }) => (field === null ? message : `${field}: ${message}`)).join('. ');
  }
  if (error.code === 'too_many_requests') return words.errors.too_many_requests(error.retryAfterSeconds ?? 60);
  // A service that is newer than this page may have other codes.
  const sentence = (words.errors as Partial<typeof words.errors>)[error.code] ?? error.message;
  return typeof sentence === 'string' ? sentence : sentence(error.message.replace(/^.*?: /s, ''));
}

/** The messages about one field of a form, such as `expiresInDays`, or a part of it, such as `scopes.0`. */
export function messagesFor(error: unknown, field: string): string | undefined {
  if (!(error instanceof LatchkeyError)) return undefined;
  const found = error.problems.filter((problem) => `${problem.field ?? ''}.`.startsWith(`${field}.`));
  return found.length === 0 ? undefined : found.map(({ message }) => message).join('. ');
}

/** An error without what the form shows beside its fields; undefined if nothing is left. */
export function withoutFields(error: unknown, fields: readonly string[]): unknown {
  return fields.some((field) => messagesFor(error, field) !== undefined) ? undefined : error;
}
