// A path as the document writes it, and as it stands on the wire.

const NAME = /\{([^{}]+)\}/g;

interface Addressed {
  method: string;
  path: string;
}

const addresses = new WeakMap<object, Map<string, number>>();
const addressOf = ({ method, path }: Addressed) => `${method} ${path.replace(/#.*$/s, '').replace(NAME, '{}')}`;

/** Whether nothing on the wire tells an operation from another: their paths differ in a fragment, or in names alone. */
export function hasTwin({ operations }: { operations: Addressed[] }, operation: Addressed): boolean {
  let known = addresses.get(operations);
  if (known === undefined) {
    known = new Map();
    for (const each of operations) known.set(addressOf(each), (known.get(addressOf(each)) ?? 0) + 1);
    addresses.set(operations, known);
  }
  return (known.get(addressOf(operation)) ?? 0) > 1;
}

/** The path with its parameters, percent-encoded; a fragment never leaves a client. A name without a value stays. */
export function writeTemplate(template: string, segments: ReadonlyMap<string, string>): string {
  const [path = ''] = template.split('#', 1);
  return pieces(path)
    .map(({ literal, name }) =>
      name === undefined ? encodeLiteral(literal) : (segments.get(name) ?? encodeLiteral(literal)),
    )
    .join('');
}

/** The path with the same text for every parameter. */
export function fillTemplate(template: string, segment: string): string {
  const [path = ''] = template.split(/[#?]/, 1);
  return pieces(path)
    .map(({ literal, name }) => (name === undefined ? encodeLiteral(literal) : segment))
    .join('');
}

/** A pattern of the path on the wire, a group for each parameter, and their names. */
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

/** What may stand in a path stays, and so does what is percent-encoded already. */
function encodeLiteral(literal: string): string {
  return encodeURI(Buffer.from(literal).toString()).replace(/%25([\da-f]{2})/gi, '%$1');
}
