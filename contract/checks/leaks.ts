import { isObject, type Json, type JsonObject } from '../document/json.js';
import { answerFor } from '../document/model.js';
import { holdsSecret } from '../document/names.js';
import { branches, flatten, type SchemaOrBoolean } from '../document/schema.js';
import type { Draft } from '../http/draft.js';
import type { Secrets } from '../http/secrets.js';
import type { Answer } from '../http/send.js';
import type { Finding } from './answer.js';

/**
 * Fails an answer that tells a secret which was sent or issued earlier. A GET or an edit may tell it, and any answer may
 * repeat one of its own request, at a member of such a name that the document describes: then it is a warning.
 */
export function checkLeaks(
  document: JsonObject,
  secrets: Secrets,
  { operation, body }: Draft,
  answer: Answer,
  value: Json | undefined,
  mayTellAgain: boolean,
): Finding[] {
  const headers = JSON.stringify(answer.headers);
  const leak = secrets.leakIn(`${mayTellAgain ? '' : answer.text}${headers}`);
  if (leak === undefined) return [];
  const media = answerFor(operation, answer.status)?.content.find(({ mediaType }) => /json/i.test(mediaType));
  const sent = JSON.stringify(body ?? null);
  const mayTell = (text: Json) => /^(GET|PUT|PATCH)$/.test(operation.method) || sent.includes(JSON.stringify(text));
  const rest = value === undefined ? undefined : withoutDescribed(document, media?.schema, value, mayTell);
  const isDescribed = rest !== undefined && secrets.leakIn(`${JSON.stringify(rest)}${headers}`) === undefined;
  const message = `an answer of ${String(answer.status)} tells ${leak === '$SECRET' ? 'a secret' : leak}`;
  const expected = 'no secret that was sent or issued earlier';
  return [{ check: 'secrets', message, expected, severity: isDescribed ? 'warning' : 'fault' }];
}

/** The value without the secrets that its schema describes under the name of one. */
function withoutDescribed(
  document: JsonObject,
  schema: SchemaOrBoolean | undefined,
  value: Json,
  mayTell: (text: Json) => boolean,
): Json {
  if (Array.isArray(value)) {
    const { items } = flatten(document, schema);
    return value.map((item) => withoutDescribed(document, items, item, mayTell));
  }
  if (!isObject(value)) return value;
  const properties = Object.assign(
    {},
    ...branches(document, schema).map((branch) => branch.properties ?? {}),
  ) as Record<string, SchemaOrBoolean>;
  const kept = Object.entries(value).flatMap(([name, member]): [string, Json][] => {
    const described = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const isShown = described !== undefined && flatten(document, described).writeOnly !== true;
    if (holdsSecret(name) && isShown && typeof member === 'string' && mayTell(member)) return [];
    return [[name, withoutDescribed(document, described, member, mayTell)]];
  });
  return Object.fromEntries(kept);
}
