// What a spec does not say in schemas, its names do: these are the guesses, all in one place.

const words = (name: string) => name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase();

/** A member that carries a secret whatever the API is about; what is called `token` or `data` may be anything. */
export function isSecretName(name: string): boolean {
  return /^(plain_?text|password|passphrase|jwt|(\w+_)?secret|(access|refresh|session|bearer|auth|id)_token|token_access|(\w+_)?api_key|private_key|\w+_password)$/.test(
    words(name).replaceAll('-', '_'),
  );
}

export function isPasswordName(name: string): boolean {
  return /password|passphrase/.test(words(name));
}

/** A parameter whose values only the server makes. */
export function isCursorName(name: string): boolean {
  return /^(cursor|page_?token|next_?token|continuation(_?token)?|(starting_|ending_)?(after|before)|marker)$/.test(
    words(name).replaceAll('-', '_'),
  );
}

export function isLimitName(name: string): boolean {
  return /^(limit|page_?size|per_?page|size|take|first|max_?(results|items)|page_?limit)$/.test(
    words(name).replaceAll('-', '_'),
  );
}

export function isPageName(name: string): boolean {
  return /^page(_?(number|no|index))?$/.test(words(name).replaceAll('-', '_'));
}

export function isOffsetName(name: string): boolean {
  return /^(offset|skip|start(_?index)?)$/.test(words(name));
}

export function isCountName(name: string): boolean {
  return /^(count|total(_?(count|items|results))?)$/.test(words(name));
}

/** A boolean that keeps the caller's own credential out of what a call revokes. */
export function isProtectionName(name: string): boolean {
  return /(exclude|keep|except|spare|skip)_?(current|own|self|this)/.test(words(name).replaceAll('-', '_'));
}

/** A member that is filled once a thing is revoked or deleted and stays as a tombstone. */
export function isTombstoneName(name: string): boolean {
  return /^(revoked|deleted|cancelled|canceled|archived|disabled|removed|is_revoked|is_deleted)(_?(at|on|date|time))?$/.test(
    words(name),
  );
}

/** An instant in a request at which what it makes ends. */
export function isExpiryName(name: string): boolean {
  return /expir|valid_?(to|until)|not_?after/.test(words(name));
}

/** Members that change without anybody writing them. */
export function isVolatileName(name: string): boolean {
  return /updated|modified|last_|seen|used|etag|version/.test(words(name));
}

/** An operation that ends the credential it is called with. */
export function endsSession(text: string): boolean {
  return /(log|sign)[-_]?(out|off)|end[-_]?session/i.test(text);
}

/** An operation on many things at once, or on the caller's own account. */
export function isSweeping(text: string): boolean {
  return /(revoke|delete|remove|purge|clear|reset)[-_]?all|(change|reset|set|update)[-_]?password|deactivate|close[-_]?account/i.test(
    text,
  );
}

/** Whether two names are one but for their spelling: `token_type`, `tokenType`, `TokenType`. */
export function sameName(a: string, b: string): boolean {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z\d]/g, '');
  return plain(a) === plain(b);
}
