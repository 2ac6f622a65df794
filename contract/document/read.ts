import { CouldNotRun } from '../errors.js';
import { readExclusives } from './dependencies.js';
import { kindOf, readBodies, readParameter, undeclared } from './inputs.js';
import { atPointer, isObject, type JsonObject, memberOf, membersOf, textOf } from './json.js';
import { child, follow, type Located, list } from './located.js';
import type { AnswerSpec, Operation, Spec } from './model.js';
import { type Direction, normalise } from './normalise.js';
import { type Dangling, resolveReferences } from './references.js';
import { remarksOf } from './remarks.js';
import { readSchemes } from './schemes.js';
import { fragment } from './shape.js';
import { skeletonOf } from './skeleton.js';
import { brokenPlaces, createNeeds } from './soundness.js';

/** The member of an operation that says why a run leaves it out. */
const LEAVE_OUT = 'x-contract-leave-out';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/**
 * Reads the operations of a document and changes the document. Throws `CouldNotRun` if a reference outside of all
 * operations leads to nothing.
 */
export function readSpec(document: JsonObject): Spec {
  const { dangling, dynamic } = resolveReferences(document);
  rejectForeignPaths(document, dangling);
  const requests = normalise(document, 'request', 'strict');
  const answers = normalise(document, 'response', 'wide');
  const info = document['info'];
  const ids = new Set<string>();
  const lost = new Map<string, string>();
  const operations = membersOf(requests['paths']).flatMap(([path, entry]) => {
    if (!path.startsWith('/')) return [];
    const pointer = `#/paths/${fragment(path)}`;
    const item = follow(requests, { node: isObject(entry) ? entry : {}, pointer });
    return METHODS.filter((method) => isObject(item.node[method])).map((method) => {
      const operation = readOperation(requests, answers, path, item, method);
      const id = ids.has(operation.id) ? `${operation.method} ${path}` : operation.id;
      ids.add(id);
      const at = dangling.find((each) => each.pointer.startsWith(`${item.pointer}/${method}/`));
      if (at !== undefined && !at.pointer.includes('/schema'))
        lost.set(id, `${at.pointer} refers to ${at.reference}, which is not in the document`);
      return { ...operation, id };
    });
  });
  const skeletons = {
    request: {
      strict: skeletonOf(requests, 'request', 'strict'),
      wide: skeletonOf(normalise(document, 'request', 'wide'), 'request', 'wide'),
    },
    response: {
      strict: skeletonOf(normalise(document, 'response', 'strict'), 'response', 'strict'),
      wide: skeletonOf(answers, 'response', 'wide'),
    },
  };
  return {
    title: textOf(memberOf(info, 'title') ?? 'untitled'),
    version: textOf(memberOf(info, 'version') ?? ''),
    openapi: textOf(document['openapi']),
    basePaths: basePathsOf(document),
    remarks: remarksOf(document, dynamic),
    requests,
    answers,
    skeletons,
    broken: brokenOperations(operations, skeletons.request.strict, lost),
    operations,
    leftOut: [],
    schemes: readSchemes(document),
  };
}

/** The operations that cannot be tested, with what is wrong in a schema that they need. */
function brokenOperations(
  operations: Operation[],
  skeleton: JsonObject,
  lost: Map<string, string>,
): Map<string, string> {
  const needs = createNeeds(skeleton, brokenPlaces(skeleton));
  const broken = new Map(lost);
  for (const operation of operations) {
    const [place] = pointersOf(operation).flatMap(needs);
    if (place && !broken.has(operation.id))
      broken.set(operation.id, `${place.pointer} cannot be compiled: ${place.why}`);
  }
  return broken;
}

/** The JSON pointers of an operation's schemas. */
export function pointersOf(operation: Operation): string[] {
  return [...pointersIn('request', operation), ...pointersIn('response', operation)];
}

/** The JSON pointers of the schemas of an operation's requests or answers. */
export function pointersIn(direction: Direction, { parameters, bodies, answers }: Operation): string[] {
  const told = answers.flatMap(({ headers, content }) => [...headers, ...content]);
  const parts = direction === 'request' ? [...parameters, ...bodies] : told;
  return parts.map(({ pointer }) => pointer).filter((pointer) => pointer !== undefined);
}

function rejectForeignPaths({ paths }: JsonObject, dangling: Dangling[]): void {
  const lost = dangling.find(({ pointer }) => /^#\/paths\/[^/]+$/.test(pointer));
  if (lost === undefined || !isObject(paths)) return;
  const { reference } = lost;
  if (reference.startsWith('#'))
    throw new CouldNotRun(`${lost.pointer} refers to ${reference}, which is not in the document`);
  throw new CouldNotRun(`${lost.pointer} refers to ${reference}; bundle the document into one file first`);
}

/** The base paths of the document's servers; empty if one of them has no base path. */
function basePathsOf({ servers }: JsonObject): string[] {
  const paths = (Array.isArray(servers) ? servers : []).map((server) => {
    const variables = memberOf(server, 'variables');
    const url = textOf(memberOf(server, 'url') ?? '').replace(/\{([^}]+)\}/g, (_, name: string) =>
      textOf(memberOf(memberOf(variables, name), 'default') ?? ''),
    );
    return URL.canParse(url, 'http://localhost') ? new URL(url, 'http://localhost').pathname.replace(/\/$/, '') : '';
  });
  return paths.every((path) => path !== '') ? [...new Set(paths)] : [];
}

function readOperation(
  requests: JsonObject,
  answersDocument: JsonObject,
  path: string,
  item: Located,
  method: string,
): Operation {
  const operation = child(requests, item, method);
  const { node } = operation;
  const own = list(requests, operation, 'parameters');
  const inherited = list(requests, item, 'parameters').filter(
    ({ node: parameter }) =>
      !own.some(({ node: mine }) => mine['name'] === parameter['name'] && mine['in'] === parameter['in']),
  );
  const security = node['security'] ?? requests['security'] ?? [];
  const bodies =
    node['requestBody'] === undefined ? [] : readBodies(requests, child(requests, operation, 'requestBody'));
  const declared = [...inherited, ...own].flatMap((parameter) => readParameter(requests, parameter));
  return {
    id: typeof node['operationId'] === 'string' ? node['operationId'] : `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    leaveOut: typeof node[LEAVE_OUT] === 'string' && node[LEAVE_OUT] !== '' ? node[LEAVE_OUT] : undefined,
    tags: Array.isArray(node['tags']) ? node['tags'].map(String) : [],
    parameters: [...declared, ...undeclared(path, declared)],
    exclusives: readExclusives(node),
    body: bodies[0],
    bodies,
    // The schemas of answers come from `answers`; the pointers are the same in both documents.
    answers: membersOf(node['responses'])
      // A status below 200 is not a final answer (RFC 9110, section 15.2).
      .filter(([status]) => /^[2-5](\d\d|XX)$|^default$/i.test(status))
      .map(([status]) =>
        readAnswer(
          answersDocument,
          status,
          child(answersDocument, { ...operation, node: nodeAt(answersDocument, operation) }, 'responses', status),
        ),
      ),
    security: Array.isArray(security)
      ? security.map((alternative) => membersOf(alternative).map(([name]) => name))
      : [],
    scopes: Array.isArray(security)
      ? security.map((alternative) =>
          membersOf(alternative).flatMap(([, scopes]) => (Array.isArray(scopes) ? scopes.map(String) : [])),
        )
      : [],
  };
}

function nodeAt(document: JsonObject, { node, pointer }: Located): JsonObject {
  const found = atPointer(document, pointer);
  return isObject(found) ? found : node;
}

function readAnswer(document: JsonObject, status: string, { node, pointer }: Located): AnswerSpec {
  return {
    status,
    headers: membersOf(node['headers']).flatMap(([name]) => {
      const header = child(document, { node, pointer }, 'headers', name);
      const [media] = membersOf(header.node['content']);
      const at = media ? `${header.pointer}/content/${fragment(media[0])}/schema` : `${header.pointer}/schema`;
      const schema = atPointer(document, at);
      if (/^content-type$/i.test(name)) return [];
      return [
        {
          name,
          required: header.node['required'] === true,
          json: media !== undefined && kindOf(media[0], undefined) === 'json',
          explode: header.node['explode'] === true,
          schema: isObject(schema) ? schema : {},
          pointer: schema === undefined ? undefined : at,
        },
      ];
    }),
    content: membersOf(node['content']).map(([mediaType, media]) => {
      const schema = memberOf(media, 'schema');
      return {
        mediaType,
        schema: isObject(schema) ? schema : {},
        pointer: schema === undefined ? undefined : `${pointer}/content/${fragment(mediaType)}/schema`,
      };
    }),
    links: membersOf(node['links']).flatMap(([name]) => {
      const { node: link } = child(document, { node, pointer }, 'links', name);
      if (typeof link['operationId'] !== 'string') return [];
      const parameters = isObject(link['parameters']) ? link['parameters'] : {};
      return [{ name, operationId: link['operationId'], parameters, requestBody: link['requestBody'] }];
    }),
  };
}
