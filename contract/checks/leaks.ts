import { isObject, type Json, type JsonObject } from '../document/json.js';
import { answerFor } from '../document/model.js';
import { isSecretOrPasswordName } from '../document/names.js';
import { branches, flatten, type SchemaOrBoolean } from '../document/schema.js';
import type { Draft } from '../http/draft.js';
import type { Secrets } from '../http/secrets.js';
import type { Answer } from '../http/send.js';
import type { Finding } from './answer.js';

/**
 * Checks that an answer contains no secret that was sent or issued earlier. `mayTellAgain` allows secrets in the body,
 * as in the answer to a repeated request. A secret in a documented member with a secret's name is only a warning, if
 * the method is GET, PUT or PATCH or the request itself contained the secret.
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
  const message = `an answer with ${String(answer.status)} contains ${leak === '$SECRET' ? 'a secret' : leak}`;
  const expected = 'no secret that was sent or issued earlier';
  return [{ check: 'secrets', message, expected, severity: isDescribed ? 'warning' : 'fault' }];
}

/** The value without the secrets that `mayTell` allows in members which its schema describes. */
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
    if (isSecretOrPasswordName(name) && isShown && typeof member === 'string' && mayTell(member)) return [];
    return [[name, withoutDescribed(document, described, member, mayTell)]];
  });
  return Object.fromEntries(kept);
}
