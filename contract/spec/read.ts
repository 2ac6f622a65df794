import { CouldNotRun } from '../errors.js';
import { atPointer, isObject, type Json, type JsonObject, memberOf, membersOf, textOf } from './json.js';
import type { AnswerSpec, Encoding, Operation, Parameter, RequestBody, SecurityScheme, Spec } from './model.js';
import { normalise } from './normalise.js';
import { type Dangling, resolveReferences } from './references.js';
import type { Schema } from './schema.js';
import { fragment } from './shape.js';
import { skeletonOf } from './skeleton.js';
import { brokenPlaces, createNeeds } from './soundness.js';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/** A node together with where it stands once references are followed. */
interface Located {
  node: JsonObject;
  pointer: string;
}

/**
 * Reads the operations of a document, which it changes; throws `CouldNotRun` where it refers to what is not in it and
 * no operation can be told.
 */
export function readSpec(document: JsonObject): Spec {
  const dangling = resolveReferences(document);
  refuseForeignPaths(document, dangling);
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
    requests,
    answers,
    skeletons,
    broken: brokenOperations(operations, skeletons.request.strict, lost),
    operations,
    leftOut: [],
    schemes: readSchemes(document),
  };
}

/** Of each operation that cannot be tested, what is wrong in the schemas that it needs. */
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

/** Where the schemas of an operation stand. */
export function pointersOf({ parameters, bodies, answers }: Operation): string[] {
  const parts = [...parameters, ...bodies, ...answers.flatMap(({ headers, content }) => [...headers, ...content])];
  return parts.map(({ pointer }) => pointer).filter((pointer) => pointer !== undefined);
}

function refuseForeignPaths({ paths }: JsonObject, dangling: Dangling[]): void {
  const lost = dangling.find(({ pointer }) => /^#\/paths\/[^/]+$/.test(pointer));
  if (lost === undefined || !isObject(paths)) return;
  const { reference } = lost;
  if (reference.startsWith('#')) throw new CouldNotRun(`the spec refers to ${reference}, which is not in it`);
  throw new CouldNotRun(`the spec refers to ${reference}: bundle it into one file first`);
}

/** The paths of the servers that the document names, without those that have none. */
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
    tags: Array.isArray(node['tags']) ? node['tags'].map(String) : [],
    parameters: [...declared, ...undeclared(path, declared)],
    body: bodies[0],
    bodies,
    // An answer's schemas are read from the document as answers see it; the pointers are the same in both.
    answers: membersOf(node['responses'])
      .filter(([status]) => /^[1-5](\d\d|XX)$|^default$/i.test(status))
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

/** Names in a path that no parameter describes: some text has to stand there all the same. */
function undeclared(path: string, declared: Parameter[]): Parameter[] {
  const names = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name = '']) => name);
  return [...new Set(names)]
    .filter((name) => !declared.some((parameter) => parameter.in === 'path' && parameter.name === name))
    .map((name) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string', minLength: 1 },
      pointer: undefined,
      style: 'simple',
      explode: false,
      allowReserved: false,
      kind: 'styled',
      examples: [],
    }));
}

function readParameter(document: JsonObject, { node, pointer }: Located): Parameter[] {
  const place = node['in'];
  const name = node['name'];
  if (typeof name !== 'string') return [];
  if (place !== 'path' && place !== 'query' && place !== 'header' && place !== 'cookie') return [];
  // OpenAPI says of these that a header parameter by their name counts for nothing.
  if (place === 'header' && /^(accept|content-type|authorization)$/i.test(name)) return [];
  const given = node['style'];
  const style = STYLES[place].find((each) => each === given) ?? STYLES[place][0];
  const [media] = membersOf(node['content']);
  const schemaPointer = media ? `${pointer}/content/${fragment(media[0])}/schema` : `${pointer}/schema`;
  const schema = atPointer(document, schemaPointer);
  const isJson = media !== undefined && kindOf(media[0], undefined) === 'json';
  return [
    {
      name,
      in: place,
      required: node['required'] === true || place === 'path',
      schema: isObject(schema) ? schema : {},
      pointer: schema === undefined ? undefined : schemaPointer,
      style,
      explode: typeof node['explode'] === 'boolean' ? node['explode'] : style === 'form',
      allowReserved: place === 'query' && node['allowReserved'] === true,
      kind: isJson ? 'json' : media === undefined ? 'styled' : 'text',
      examples: [
        ...examplesOf(document, node),
        ...(media && isObject(media[1]) ? examplesOf(document, media[1]) : []),
      ].map(({ value }) => value),
    },
  ];
}

/** The styles of each place, the default first. */
const STYLES = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form'],
} as const;

const KINDS = ['json', 'form', 'multipart', 'text', 'xml', 'binary'] as const;

/** The bodies that an operation takes, those first that are the easiest to make. */
function readBodies(document: JsonObject, { node, pointer }: Located): RequestBody[] {
  const bodies = membersOf(node['content']).map(([mediaType, media]): RequestBody => {
    const schemaPointer = `${pointer}/content/${fragment(mediaType)}/schema`;
    const schema = atPointer(document, schemaPointer);
    const encodings = isObject(media) ? membersOf(media['encoding']) : [];
    return {
      required: node['required'] === true,
      mediaType,
      mediaTypes: membersOf(node['content']).map(([each]) => each),
      kind: kindOf(mediaType, isObject(schema) ? schema : undefined),
      schema: isObject(schema) ? schema : {},
      pointer: schema === undefined ? undefined : schemaPointer,
      document,
      encodings: Object.fromEntries(
        encodings.flatMap(([name, each]) => (isObject(each) ? [[name, readEncoding(each)]] : [])),
      ),
      examples: isObject(media) ? examplesOf(document, media) : [],
    };
  });
  return bodies.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
}

function readEncoding({ contentType, style, explode, allowReserved }: JsonObject): Encoding {
  const given = STYLES.query.find((each) => each === style);
  return {
    contentType: typeof contentType === 'string' ? contentType : undefined,
    style: given ?? (explode === undefined && allowReserved === undefined ? undefined : 'form'),
    explode: typeof explode === 'boolean' ? explode : (given ?? 'form') === 'form',
  };
}

function kindOf(mediaType: string, schema: Schema | undefined): RequestBody['kind'] {
  const [type = ''] = mediaType.toLowerCase().split(';', 1);
  const name = type.trim();
  if (/^application\/([\w.-]+\+)?json$/.test(name) || name === 'text/json') return 'json';
  if (name === '*/*' || name === 'application/*') return schema?.format === 'binary' ? 'binary' : 'json';
  if (name === 'application/x-www-form-urlencoded') return 'form';
  if (name === 'multipart/form-data') return 'multipart';
  if (/^(application|text)\/([\w.-]+\+)?xml$/.test(name)) return 'xml';
  return name.startsWith('text/') ? 'text' : 'binary';
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

function readSchemes(document: JsonObject): Map<string, SecurityScheme> {
  const schemes = membersOf(atPointer(document, '#/components/securitySchemes')).map(([name, entry]) => {
    const scheme = isObject(entry) ? follow(document, { node: entry, pointer: '' }).node : {};
    const field = typeof scheme['name'] === 'string' ? scheme['name'] : 'Authorization';
    return [name, { name, field, kind: schemeKind(scheme) }] as const;
  });
  return new Map(schemes);
}

function schemeKind(scheme: JsonObject): SecurityScheme['kind'] {
  const place = scheme['in'];
  if (scheme['type'] === 'oauth2' || scheme['type'] === 'openIdConnect') return 'bearer';
  if (scheme['type'] === 'apiKey')
    return place === 'header' || place === 'query' || place === 'cookie' ? place : 'unsupported';
  const http = scheme['type'] === 'http' ? textOf(scheme['scheme']).toLowerCase() : '';
  return http === 'bearer' || http === 'basic' ? http : 'unsupported';
}

function examplesOf(document: JsonObject, node: JsonObject): { name: string; value: Json }[] {
  const named = membersOf(node['examples']).flatMap(([name, entry]) => {
    const value = isObject(entry) ? follow(document, { node: entry, pointer: '' }).node['value'] : undefined;
    return value === undefined ? [] : [{ name, value }];
  });
  return node['example'] === undefined ? named : [{ name: 'example', value: node['example'] }, ...named];
}

function list(document: JsonObject, { node, pointer }: Located, name: string): Located[] {
  const entries = node[name];
  if (!Array.isArray(entries)) return [];
  return entries.map((entry, index) =>
    follow(document, { node: isObject(entry) ? entry : {}, pointer: `${pointer}/${name}/${String(index)}` }),
  );
}

function child(document: JsonObject, parent: Located, ...names: string[]): Located {
  const pointer = `${parent.pointer}/${names.map(fragment).join('/')}`;
  const node = names.reduce<Json | undefined>(memberOf, parent.node);
  return follow(document, { node: isObject(node) ? node : {}, pointer });
}

function follow(document: JsonObject, located: Located): Located {
  let { node, pointer } = located;
  for (let steps = 0; typeof node['$ref'] === 'string' && steps < 16; steps++) {
    pointer = node['$ref'];
    const target = atPointer(document, pointer);
    if (!isObject(target)) break;
    node = target;
  }
  return { node, pointer };
}
