// Guesses from names what the schemas of a document do not say.

/** Writes `accessToken`, `Access-Token` and `/access/token` all as `access_token`. */
const words = (name: string) =>
  name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/[-/\s]+/g, '_')
    .toLowerCase();

/** A member whose name means a secret in any API. `token` is not among them, because it has many other meanings. */
export function isSecretName(name: string): boolean {
  return /^(plain_?text|password|passphrase|jwt|(\w+_)?secret|(access|refresh|session|bearer|auth|id)_token|token_access|(\w+_)?api_key|private_key|\w+_password)$/.test(
    words(name),
  );
}

/** A member whose text must be unique in a run: the same text elsewhere would look like a leak. */
export function isSecretOrPasswordName(name: string): boolean {
  return isSecretName(name) || isPasswordName(name);
}

export function isPasswordName(name: string): boolean {
  return /password|passphrase/.test(words(name));
}

/** A header that may contain a credential. */
export function isSecretHeader(name: string): boolean {
  return /auth|cookie|key|token|secret|password|credential/i.test(name) && !isOnceKeyName(name);
}

/** A parameter whose values only the server can create, such as a cursor. */
export function isCursorName(name: string): boolean {
  return /^(cursor|page_?token|next_?token|continue|continuation(_?token)?|(starting_|ending_)?(after|before)|marker)$/.test(
    words(name),
  );
}

export function isLimitName(name: string): boolean {
  return /^(limit|page_?size|per_?page|size|take|first|max_?(results|items)|page_?limit)$/.test(words(name));
}

/** A parameter that asks the server to delay its answer, such as `waitMs`, or to continue it, such as `watch`. */
export function isWaitName(name: string): boolean {
  return /^((long_?)?poll(ing)?|watch|follow|block|linger|(max_?)?wait|time_?out)(_?(for|time|ms|s|sec|secs|seconds|millis|milliseconds|timeout))?$/.test(
    words(name),
  );
}

export function isPageName(name: string): boolean {
  return /^page(_?(number|no|index))?$/.test(words(name));
}

export function isOffsetName(name: string): boolean {
  return /^(offset|skip|start(_?index)?)$/.test(words(name));
}

export function isCountName(name: string): boolean {
  return /^(count|total(_?(count|items|results))?)$/.test(words(name));
}

/** A boolean that excludes the caller's own credential from a bulk revocation. */
export function isProtectionName(name: string): boolean {
  return /(exclude|keep|except|spare|skip)_?(current|own|self|this)/.test(words(name));
}

/** A member that shows that a thing is revoked, disabled or deleted although it can still be fetched. */
export function isTombstoneName(name: string): boolean {
  return /^(revoked|deleted|cancelled|canceled|archived|disabled|removed|is_revoked|is_deleted)(_?(at|on|date|time))?$/.test(
    words(name),
  );
}

/** A member with the state of a thing. */
export function isStateName(name: string): boolean {
  return /^(status|state)$/.test(words(name));
}

/** A member of a request with the instant at which the created thing expires. */
export function isExpiryName(name: string): boolean {
  return /expir|valid_?(to|until)|not_?after/.test(words(name));
}

/** A member that changes without being edited. */
export function isVolatileName(name: string): boolean {
  return /updated|modified|last_|seen|used|etag|version/.test(words(name));
}

/** A parameter that names the owner of things. */
export function isOwnerName(name: string): boolean {
  return /^(owner|user|account|tenant|customer|member|organi[sz]ation)(_?id)?$/.test(words(name));
}

/** A member that is set when a thing is created and never changes. */
export function isBirthName(name: string): boolean {
  return /^(id|_id|uuid|guid|created(_?(at|on|date|time|timestamp))?|creation_?(date|time|timestamp))$/.test(
    words(name),
  );
}

/** A header by which the server recognises a repeated request. */
export function isOnceKeyName(name: string): boolean {
  return /idempoten/.test(words(name));
}

/** The header `If-Match`. */
export function isIfMatchName(name: string): boolean {
  return words(name) === 'if_match';
}

/** A header that makes a request depend on the current version of a thing. */
export function isPreconditionName(name: string): boolean {
  return /^if_((none_)?match|(un)?modified_since|range)$/.test(words(name));
}

/** An operation that ends the session that it is called with. */
export function endsSession(text: string): boolean {
  return /(log|sign)[-_]?(out|off)|end[-_]?session|^delete \S*\/session\/?$/i.test(text);
}

/** A path or operationId that names the caller's own credential: `/tokens/current/rotate`, `revokeCurrentKey`. */
export function isOwnCredential(text: string): boolean {
  return /(token|key|session|credential|secret)s?_(current|self|me|mine|own|this)(_|$)|(^|_)(current|this)_((access|api|private|personal)_)?(token|key|session|credential)/.test(
    words(text),
  );
}

/** A path to the caller's own account. */
export function isOwnAccount(path: string): boolean {
  return /\/(me|self|myself|account|profile|user)\/?$/i.test(path);
}

/** A member of an account that, when it changes, may make the account's credentials invalid. */
export function isVitalName(name: string): boolean {
  return (
    isPasswordName(name) ||
    isTombstoneName(name) ||
    isStateName(name) ||
    /^(is_)?(active|enabled|locked|suspended)$|^(e_?mail|user_?name|login)$/.test(words(name))
  );
}

/** An operation that replaces a secret by a new one. */
export function isRotation(text: string): boolean {
  return /(^|_)(rotate|rotation|regenerate|re_?issue|roll)(_|$)/.test(words(text));
}

/** A member that says how long the earlier secret stays valid after a rotation. */
export function isGraceName(name: string): boolean {
  return /grace|overlap/.test(words(name));
}

/** An operation that revokes the credential in its body. */
export function isRevocation(text: string): boolean {
  return /revo(ke|cation)|invalidat/i.test(text);
}

/** An operation that verifies the credential in its body. */
export function isInquiry(text: string): boolean {
  return /verif|introspect|validat/i.test(text) && !isRevocation(text);
}

/** A member of a request with a credential to verify or to revoke. */
export function isPresentedName(name: string): boolean {
  return /^((access|bearer|api)_)?(token|secret|key|credential)$/.test(words(name));
}

/** A boolean of an answer that says whether a credential is valid. */
export function isVerdictName(name: string): boolean {
  return /^(is_)?(valid|active)$/.test(words(name));
}

/** An operation on many things at once, or on the caller's own account. */
export function isSweeping(text: string): boolean {
  return /(revoke|delete|remove|purge|clear|reset|rotate|disable|invalidate|(log|sign)[-_]?(out|off))[-_]?(all|every)|(change|reset|set|update)[-_]?password|\/password\/?$|deactivate|close[-_]?account/i.test(
    text,
  );
}

/** A path that revokes or deletes the things that its body selects: `/tokens/revoke`, `/messages/bulk-delete`. */
export function isBulkRemoval(path: string): boolean {
  return /\/([\w-]+[-_])?(revoke|delete|remove|purge|disable|archive|cancel)\/?$/i.test(path);
}

/** Whether two names differ only in spelling: `token_type`, `tokenType`, `TokenType`. */
export function sameName(a: string, b: string): boolean {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z\d]/g, '');
  return plain(a) === plain(b);
}
