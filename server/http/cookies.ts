import type { IncomingHttpHeaders } from 'node:http';

/** The values of the cookies with this name, in the order in which they were sent. */
export function cookiesNamed({ cookie }: IncomingHttpHeaders, name: string): string[] {
  if (cookie === undefined) return [];
  return cookie.split(';').flatMap((pair) => {
    const [key, ...value] = pair.trim().split('=');
    return key === name ? [value.join('=')] : [];
  });
}
