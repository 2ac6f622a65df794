// Path templates such as `/tokens/{id}`, and the paths that are sent for them.

const NAME = /\{([^{}]+)\}/g;

interface Addressed {
  method: string;
  path: string;
}

const addresses = new WeakMap<object, Map<string, number>>();
const addressOf = ({ method, path }: Addressed) => `${method} ${path.replace(/#.*$/s, '').replace(NAME, '{}')}`;

/** Whether requests of another operation look the same: the paths differ only in a fragment or in parameter names. */
export function hasTwin({ operations }: { operations: Addressed[] }, operation: Addressed): boolean {
  let known = addresses.get(operations);
  if (known === undefined) {
    known = new Map();
    for (const each of operations) known.set(addressOf(each), (known.get(addressOf(each)) ?? 0) + 1);
    addresses.set(operations, known);
  }
  return (known.get(addressOf(operation)) ?? 0) > 1;
}

/** The percent-encoded path, without a fragment. A parameter without a value keeps its braces. */
export function writeTemplate(template: string, segments: ReadonlyMap<string, string>): string {
  const [path = ''] = template.split('#', 1);
  return pieces(path)
    .map(({ literal, name }) =>
      name === undefined ? encodeLiteral(literal) : (segments.get(name) ?? encodeLiteral(literal)),
    )
    .join('');
}

/** The path with `segment` in place of every parameter. */
export function fillTemplate(template: string, segment: string): string {
  const [path = ''] = template.split(/[#?]/, 1);
  return pieces(path)
    .map(({ literal, name }) => (name === undefined ? encodeLiteral(literal) : segment))
    .join('');
}

/** A regular expression that matches the sent path, with one group for each of `names`. */
export function templatePattern(template: string): { pattern: RegExp; names: string[] } {
  const [path = ''] = template.split(/[#?]/, 1);
  const names: string[] = [];
  const source = pieces(path).map(({ literal, name }) => {
    if (name === undefined) return encodeLiteral(literal).replace(/[.*+?^$()|[\]{}\\]/g, '\\$&');
    names.push(name);
    return '([^/]+)';
  });
  return { pattern: new RegExp(`^${source.join('')}$`), names };
}

function pieces(path: string): { literal: string; name: string | undefined }[] {
  const found: { literal: string; name: string | undefined }[] = [];
  let end = 0;
  for (const match of path.matchAll(NAME)) {
    if (match.index > end) found.push({ literal: path.slice(end, match.index), name: undefined });
    found.push({ literal: match[0], name: match[1] });
    end = match.index + match[0].length;
  }
  return end < path.length ? [...found, { literal: path.slice(end), name: undefined }] : found;
}

/** Percent-encodes what a path must not contain, and keeps existing percent-encoding. */
function encodeLiteral(literal: string): string {
  return encodeURI(Buffer.from(literal).toString()).replace(/%25([\da-f]{2})/gi, '%$1');
}
