// What request headers say about the form of an answer (RFC 9110, section 12).

/** The content encodings of pages. */
export type Encoding = 'br' | 'gzip' | 'identity';

/** Smallest first. */
const COMPRESSED = ['br', 'gzip'] as const;

/** The encoding for a request with this `Accept-Encoding`: of those with the greatest weight, the smallest. */
export function encodingFor(header: string | undefined): Encoding {
  if (header === undefined) return 'identity';
  const weights = weightsIn(header);
  const weightOf = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0;
  const [best = 'br'] = [...COMPRESSED].sort((one, other) => weightOf(other) - weightOf(one));
  // A client may only prefer identity by naming it.
  return weightOf(best) > 0 && weightOf(best) >= (weights.get('identity') ?? 0) ? best : 'identity';
}

/** Whether `header`, an `Accept`, names HTML, and gives it no less weight than JSON, as browsers do. */
export function prefersHtml(header = ''): boolean {
  const weights = weightsIn(header);
  const html = weights.get('text/html') ?? 0;
  return html > 0 && html >= (weights.get('application/json') ?? 0);
}

/** Whether `header`, an `If-None-Match`, contains `etag`, compared weakly. */
export function matchesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

/** The weight of each value in a list such as `br;q=0.5, gzip`, 0 to 1. */
function weightsIn(header: string): Map<string, number> {
  return new Map(
    header.split(',').map((value) => {
      const [name = '', ...parameters] = value.split(';').map((part) => part.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return [name, weight === undefined ? 1 : Number(weight) || 0];
    }),
  );
}
