import { createContext, Script } from 'node:vm';

/** What other dialects of regular expressions have and ECMA-262 has not, or reads as something else. */
const FOREIGN =
  /\[:\^?\w+:\]|\(\?[a-zA-Z^-]*[imsxUJn-]+\)|\(\?[imsx-]+:|\\[AzZGQEhHRXK]|\(\?>|[*+?}]\+|\(\?P[<=>]|\(\?#|\\p\{?[A-Z][a-z]*(?![\w{])|\\[px]\{[^}]*$/;

/** Milliseconds that one pattern may take for one text; some need more than the age of the universe. */
const MOST_MS = 50;
/** Texts that any pattern is done with soon, unless it repeats what repeats. */
const SHORT = 256;
const NESTED = /[*+}][?+]?\)*[?+]?\)[*+{]|\([^()]*\|[^()]*\)[*+{]/;

/** A text that could not be held against a pattern in time. */
export class Undecided extends Error {
  override name = 'Undecided';
}

/** A pattern of JSON Schema; `test` throws `Undecided` where it takes too long. */
class BoundedRegExp extends RegExp {
  readonly #isNested: boolean;

  constructor(pattern: string, flags: string) {
    super(pattern, flags);
    this.#isNested = NESTED.test(pattern);
  }

  override test(text: string): boolean {
    if (!this.#isNested && text.length <= SHORT) return super.test(text);
    return boundedTest(new RegExp(this.source, this.flags), text);
  }
}

const sandbox = createContext({ pattern: /a/, text: '' });
const script = new Script('pattern.test(text)');

function boundedTest(pattern: RegExp, text: string): boolean {
  sandbox['pattern'] = pattern;
  sandbox['text'] = text;
  try {
    return script.runInContext(sandbox, { timeout: MOST_MS }) as boolean;
  } catch {
    throw new Undecided(`the pattern ${pattern.source} takes too long`);
  }
}

const known = new Map<string, RegExp | undefined>();

/**
 * A pattern as JSON Schema means it, with Unicode; one that is an error there, such as `[\-a]`, as older JavaScript reads
 * it; undefined for one of another dialect, which ECMA-262 has no meaning for.
 */
export function toRegExp(pattern: string): RegExp | undefined {
  if (!known.has(pattern)) known.set(pattern, compile(pattern));
  return known.get(pattern);
}

function compile(pattern: string): RegExp | undefined {
  for (const flags of ['u', '']) {
    if (flags === '' && FOREIGN.test(pattern)) return undefined;
    try {
      return new BoundedRegExp(pattern, flags);
    } catch {
      // The next reading may do.
    }
  }
  return undefined;
}

const POSIX: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
  word: '\\w',
};

/** What a pattern of another dialect probably means: good enough to make a text of it, not to refuse one. */
export function guessRegExp(pattern: string): RegExp | undefined {
  const restated = pattern
    .replace(/\[:(\w+):\]/g, (whole, name: string) => POSIX[name] ?? whole)
    .replace(/\(\?[imsxU-]+\)/g, '')
    .replace(/\(\?[imsx-]+:/g, '(?:')
    .replace(/\\A/g, '^')
    .replace(/\\[zZ]/g, '$')
    .replace(/\(\?P</g, '(?<')
    .replace(/\(\?>/g, '(?:')
    .replace(/([*+?}])\+/g, '$1')
    .replace(/\\h/g, '[ \\t]');
  try {
    return new RegExp(restated, 'u');
  } catch {
    return undefined;
  }
}
