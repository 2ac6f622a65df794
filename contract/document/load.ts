import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { parse } from 'yaml';
import { CouldNotRun } from '../errors.js';
import { isObject, type JsonObject } from './json.js';

/**
 * Reads an OpenAPI document from a file, an http(s) URL or an object; undefined means Latchkey's own. Rejects with
 * `CouldNotRun` if it cannot be read, or is not an OpenAPI 3.0 or 3.1 document.
 */
export async function loadDocument(source: string | URL | object | undefined): Promise<JsonObject> {
  if (source !== undefined && typeof source === 'object' && !(source instanceof URL))
    return check(source, 'the document');
  const place = source === undefined ? ownSpec() : String(source);
  return check(parseText(await readText(place), place), place);
}

function ownSpec(): string {
  return createRequire(import.meta.url).resolve('latchkey/openapi.json');
}

async function readText(place: string): Promise<string> {
  try {
    if (/^https?:/.test(place)) {
      const response = await fetch(place);
      if (!response.ok) throw new Error(`it answered ${String(response.status)}`);
      return await response.text();
    }
    return await readFile(place.startsWith('file:') ? new URL(place) : place, 'utf8');
  } catch (error) {
    throw new CouldNotRun(`${place} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parseText(text: string, place: string): unknown {
  try {
    return text.trimStart().startsWith('{') ? readJson(text) : readYaml(text);
  } catch (error) {
    throw new CouldNotRun(`${place} is neither YAML nor JSON: ${error instanceof Error ? error.message : ''}`);
  }
}

/** `JSON.parse` is much faster than the YAML parser. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return readYaml(text);
  }
}

/** Merges merge keys, as YAML 1.1 parsers do. The limit of aliases stops documents that expand without bound. */
function readYaml(text: string): unknown {
  return parse(text, { logLevel: 'error', merge: true, maxAliasCount: 10_000 });
}

function check(document: unknown, place: string): JsonObject {
  const version = isObject(document) ? document['openapi'] : undefined;
  if (!isObject(document) || typeof version !== 'string' || !/^3\.[01]\./.test(version)) {
    throw new CouldNotRun(`${place} is not an OpenAPI 3.0 or 3.1 document`);
  }
  // A copy without prototypes, dates or shared nodes.
  try {
    return JSON.parse(JSON.stringify(document)) as JsonObject;
  } catch {
    throw new CouldNotRun(`${place} has a part that contains itself: it cannot be written as JSON`);
  }
}
