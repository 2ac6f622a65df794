import type { Document, Endpoint, Security } from './document.js';
import { exampleOf } from './examples.js';

/** A command for a shell that sends an example of a request to `$URL`, with the token in `$TOKEN`. */
export function curlOf(document: Document, { method, path, operation }: Endpoint): string {
  const url = path.replace(/\{(\w+)\}/g, (_, name: string) => `$${name.toUpperCase()}`);
  const parts = [`curl ${method === 'GET' || method === 'POST' ? '' : `-X ${method} `}"$URL${url}"`];
  const credential = credentialFor(operation.security ?? document.security);
  if (credential !== undefined) parts.push(credential);
  const [mediaType, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const value = content === undefined ? undefined : exampleOf(document, content);
  if (mediaType === undefined || value === undefined) {
    if (method === 'POST') parts[0] = `curl -X POST "$URL${url}"`;
  } else if (mediaType === 'application/json') {
    parts.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(value))}`);
  } else {
    const fields = Object.entries(value as Record<string, string>);
    parts.push(...fields.map(([name, text]) => `--data-urlencode ${quoted(`${name}=${text}`)}`));
  }
  return parts.join(' \\\n  ');
}

function credentialFor(security: readonly Security[]): string | undefined {
  if (security.some(({ bearer }) => bearer !== undefined)) return '-H "Authorization: Bearer $TOKEN"';
  return security.some(({ basic }) => basic !== undefined) ? '-u "client:$TOKEN"' : undefined;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
