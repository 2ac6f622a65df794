import { createContext, Script } from 'node:vm';

/** Syntax of other regular expression dialects that ECMA-262 does not have, or reads differently. */
const FOREIGN =
  /\[:\^?\w+:\]|\(\?[a-zA-Z^-]*[imsxUJn-]+\)|\(\?[imsx-]+:|\\[AzZGQEhHRXK]|\(\?>|[*+?}]\+|\(\?P[<=>]|\(\?#|\\p\{?[A-Z][a-z]*(?![\w{])|\\[px]\{[^}]*$/;

/** Milliseconds that one pattern may take for one text; backtracking can take years. */
const MOST_MS = 50;
/** Characters. Every pattern without nested repetition matches a text of this length quickly. */
const SHORT = 256;
const NESTED = /[*+}][?+]?\)*[?+]?\)[*+{]|\([^()]*\|[^()]*\)[*+{]/;

/** A pattern took too long for a text. */
export class Undecided extends Error {
  override name = 'Undecided';
}

/** If a pattern took too long for so many texts, it is not tried on another of their length: a run asks for hundreds. */
const MOST_UNDECIDED = 4;

/** Results of one pattern that are remembered. A run sends and gets the same texts again and again. */
const MOST_RESULTS = 1_000;
/** Characters of a text whose result is remembered. */
const LONGEST = 4_096;

/** A pattern of JSON Schema. `test` throws `Undecided` if it takes too long. */
class BoundedRegExp extends RegExp {
  readonly #isNested: boolean;
  readonly #plain: RegExp;
  readonly #results = new Map<string, boolean>();
  #undecided = 0;
  #shortestUndecided = Infinity;

  constructor(pattern: string, flags: string) {
    super(pattern, flags);
    this.#isNested = NESTED.test(pattern);
    // Compiled once, because counts of counts make large programs.
    this.#plain = new RegExp(pattern, flags);
  }

  override test(text: string): boolean {
    if (!this.#isNested && text.length <= SHORT) return super.test(text);
    const known = this.#results.get(text);
    if (known !== undefined) return known;
    const result =
      this.#undecided >= MOST_UNDECIDED && text.length >= this.#shortestUndecided
        ? undefined
        : boundedTest(this.#plain, text);
    if (result === undefined) {
      this.#undecided += 1;
      this.#shortestUndecided = Math.min(this.#shortestUndecided, text.length);
      throw new Undecided(`the pattern ${this.source} takes too long`);
    }
    if (this.#results.size >= MOST_RESULTS) this.#results.clear();
    if (text.length <= LONGEST) this.#results.set(text, result);
    return result;
  }
}

const sandbox = createContext({ pattern: /a/, text: '' });
const script = new Script('pattern.test(text)');

/** Whether the pattern matches the text; undefined if that takes too long. */
function boundedTest(pattern: RegExp, text: string): boolean | undefined {
  sandbox['pattern'] = pattern;
  sandbox['text'] = text;
  try {
    return script.runInContext(sandbox, { timeout: MOST_MS }) as boolean;
  } catch {
    return undefined;
  }
}

const known = new Map<string, RegExp | undefined>();

/**
 * Compiles a pattern with the flag `u`, as JSON Schema requires, or without it if that fails, such as for `[\-a]`.
 * Undefined for a pattern of another dialect than ECMA-262.
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
      // Try the next flags.
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

/** Guesses the meaning of a pattern of another dialect. The guess may generate texts, but must not reject any. */
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
