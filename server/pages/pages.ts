import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { ServiceError } from '../errors.js';
import type { WireAnswer } from '../http/answer.js';
import type { Log } from '../log/log.js';
import { type Encoding, encodingFor, matchesTag, prefersHtml } from './conditions.js';

// The pages for browsers: the console and the reference of the API. `npm run build` writes them into dist/web, as they
// are and compressed; a file `dist/web/console/assets/a.js` is at `/console/assets/a.js`. Nothing is read after the start.

/** Answers requests for pages. */
export interface Pages {
  /**
   * The answer to a request for `path`; undefined if there is no page. Throws `method_not_allowed` for a method other than
   * GET, HEAD and OPTIONS.
   */
  answer(request: IncomingMessage, path: string): WireAnswer | undefined;
}

interface Page {
  contentType: string;
  /** Undefined for an encoding that does not make the file smaller. */
  bodies: Partial<Record<Encoding, Buffer>> & { identity: Buffer };
  /** The hash of the file, for its ETag. */
  digest: string;
  cacheControl: string;
}

/** The kinds of files that are served. Any other file, such as a source map, is not. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
};

const SUFFIXES = { br: '.br', gzip: '.gz' } as const;

/** Pages have only scripts and styles of this service, in files, and no other page may frame them. */
const SECURITY = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'Referrer-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
};

const CONSOLE = '/console';
/** Files below a folder with this name have a hash of their content in their name, so that browsers keep them for ever. */
const ASSETS = '/assets/';
/** A year in seconds, the longest that is of use. */
const FOR_EVER = 'public, max-age=31536000, immutable';

const NO_PAGES: Pages = { answer: () => undefined };

interface Folder {
  path: string;
  pages: Map<string, Page>;
}

/** The pages that `npm run build` wrote. They are read once, because tests start many services in one process. */
let built: Folder | undefined;

function builtPages(): Folder {
  return (built ??= readFolder(
    join(dirname(createRequire(import.meta.url).resolve('latchkey/package.json')), 'dist', 'web'),
  ));
}

/** Takes the built pages, or those in `folder`. Without files there, nothing is served, and the log has a warning. */
export function createPages({ console: isOn }: { console: boolean }, log: Log, folder?: string): Pages {
  if (!isOn) return NO_PAGES;
  const { path, pages } = folder === undefined ? builtPages() : readFolder(folder);
  if (pages.size === 0) {
    log.warn({ folder: path }, 'there are no pages for browsers; npm run build makes them');
    return NO_PAGES;
  }
  const start = pages.get(CONSOLE);
  return {
    answer(request, path) {
      if (path === '/') return start === undefined ? undefined : answerRoot(request);
      const page = pages.get(path) ?? (isInConsole(path) ? start : undefined);
      return page === undefined ? undefined : answerWith(page, request);
    },
  };
}

/** The console has addresses of its own, such as `/console/tokens`, and its script shows what is there. */
function isInConsole(path: string): boolean {
  return path.startsWith(`${CONSOLE}/`) && !path.startsWith(`${CONSOLE}${ASSETS}`);
}

/** Sends browsers to the console. For all others there is nothing at `/`. */
function answerRoot(request: IncomingMessage): WireAnswer | undefined {
  if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
  if (!prefersHtml(request.headers.accept)) throw new ServiceError('not_found', NOTHING_AT_ROOT);
  return { status: 302, headers: { Location: CONSOLE, Vary: 'Accept', 'Cache-Control': 'no-cache' } };
}

const NOTHING_AT_ROOT = { detail: 'There is nothing at this path.', headers: { Vary: 'Accept' } };

function answerWith({ bodies, digest, cacheControl, contentType }: Page, request: IncomingMessage): WireAnswer {
  const { method, headers } = request;
  if (method === 'OPTIONS') return { status: 204, headers: ALLOW };
  if (method !== 'GET' && method !== 'HEAD') throw new ServiceError('method_not_allowed', { headers: ALLOW });
  const wanted = encodingFor(headers['accept-encoding']);
  const encoding = bodies[wanted] === undefined ? 'identity' : wanted;
  const body = bodies[encoding] ?? bodies.identity;
  const etag = encoding === 'identity' ? `"${digest}"` : `"${digest}-${encoding}"`;
  const common = { ...SECURITY, 'Cache-Control': cacheControl, ETag: etag, Vary: 'Accept-Encoding' };
  if (matchesTag(headers['if-none-match'], etag)) return { status: 304, headers: common };
  const coded = encoding === 'identity' ? common : { ...common, 'Content-Encoding': encoding };
  return { status: 200, headers: coded, contentType, body };
}

const ALLOW = { Allow: 'GET, HEAD, OPTIONS' };

function readFolder(folder: string): Folder {
  const pages = new Map<string, Page>();
  for (const file of filesIn(folder)) {
    const contentType = MEDIA_TYPES[/\.(\w+)$/.exec(file)?.[1] ?? ''];
    if (contentType === undefined) continue;
    const path = `/${relative(folder, file).split(sep).join('/')}`;
    const page = readPage(file, path, contentType);
    const place = path.replace(/\/index\.html$/, '');
    pages.set(place, page);
    if (place !== path) pages.set(`${place}/`, page);
  }
  return { path: folder, pages };
}

function readPage(file: string, path: string, contentType: string): Page {
  const identity = readFileSync(file);
  const br = readIfThere(file + SUFFIXES.br);
  const gzip = readIfThere(file + SUFFIXES.gzip);
  return {
    contentType,
    bodies: { identity, ...(br && { br }), ...(gzip && { gzip }) },
    digest: createHash('sha256').update(identity).digest('base64url').slice(0, 22),
    cacheControl: path.includes(ASSETS) ? FOR_EVER : 'no-cache',
  };
}

function filesIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
