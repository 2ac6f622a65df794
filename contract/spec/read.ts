import { CouldNotRun } from '../errors.js';
import { atPointer, escapePointer, isObject, type Json, type JsonObject, memberOf, membersOf, textOf } from './json.js';
import type { AnswerSpec, Operation, Parameter, RequestBody, SecurityScheme, Spec } from './model.js';
import { normalise } from './normalise.js';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/** A node together with where it stands once references are followed. */
interface Located {
  node: JsonObject;
  pointer: string;
}

/** Reads the operations of a document; throws `CouldNotRun` where it refers to something that is not in it. */
export function readSpec(document: JsonObject): Spec {
  refuseForeignReferences(document);
  const requests = normalise(document, 'request');
  const answers = normalise(document, 'response');
  const info = document['info'];
  const operations = membersOf(requests['paths']).flatMap(([path, entry]) => {
    const pointer = `#/paths/${escapePointer(path)}`;
    const item = follow(requests, { node: isObject(entry) ? entry : {}, pointer });
    return METHODS.filter((method) => isObject(item.node[method])).map((method) =>
      readOperation(requests, answers, path, item, method),
    );
  });
  return {
    title: textOf(memberOf(info, 'title') ?? 'untitled'),
    version: textOf(memberOf(info, 'version') ?? ''),
    openapi: textOf(document['openapi']),
    requests,
    answers,
    operations,
    leftOut: [],
    schemes: readSchemes(document),
  };
}

function refuseForeignReferences(node: Json): void {
  if (typeof node !== 'object' || node === null) return;
  const reference = memberOf(node, '$ref');
  if (typeof reference === 'string' && !reference.startsWith('#')) {
    throw new CouldNotRun(`the spec refers to ${reference}: bundle it into one file first`);
  }
  for (const [name, value] of Object.entries(node)) {
    // Extensions may refer to anything; nothing here reads them.
    if (!name.startsWith('x-')) refuseForeignReferences(value);
  }
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
  return {
    id: typeof node['operationId'] === 'string' ? node['operationId'] : `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    tags: Array.isArray(node['tags']) ? node['tags'].map(String) : [],
    parameters: [...inherited, ...own].flatMap((parameter) => readParameter(requests, parameter)),
    body: node['requestBody'] === undefined ? undefined : readBody(requests, child(requests, operation, 'requestBody')),
    // An answer's schemas are read from the document as answers see it; the pointers are the same in both.
    answers: membersOf(node['responses']).map(([status]) =>
      readAnswer(answersDocument, status, child(requests, operation, 'responses', status)),
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

function readParameter(document: JsonObject, { node, pointer }: Located): Parameter[] {
  const place = node['in'];
  const name = node['name'];
  if (typeof name !== 'string') return [];
  if (place !== 'path' && place !== 'query' && place !== 'header' && place !== 'cookie') return [];
  // OpenAPI says of these that a header parameter by their name counts for nothing.
  if (place === 'header' && /^(accept|content-type|authorization)$/i.test(name)) return [];
  const style =
    typeof node['style'] === 'string' ? node['style'] : place === 'query' || place === 'cookie' ? 'form' : 'simple';
  const [media] = membersOf(node['content']);
  const schemaPointer = media ? `${pointer}/content/${escapePointer(media[0])}/schema` : `${pointer}/schema`;
  const schema = atPointer(document, schemaPointer);
  return [
    {
      name,
      in: place,
      required: node['required'] === true || place === 'path',
      schema: isObject(schema) ? schema : {},
      pointer: schema === undefined ? undefined : schemaPointer,
      style,
      explode: typeof node['explode'] === 'boolean' ? node['explode'] : style === 'form',
      json: media !== undefined,
      examples: examplesOf(document, node).map(({ value }) => value),
    },
  ];
}

function readBody(document: JsonObject, { node, pointer }: Located): RequestBody | undefined {
  const mediaTypes = membersOf(node['content']).map(([mediaType]) => mediaType);
  const kinds = ['json', 'form', 'text', 'other'] as const;
  const [mediaType] = [...mediaTypes].sort((a, b) => kinds.indexOf(kindOf(a)) - kinds.indexOf(kindOf(b)));
  if (mediaType === undefined) return undefined;
  const media = memberOf(node['content'], mediaType);
  const schemaPointer = `${pointer}/content/${escapePointer(mediaType)}/schema`;
  const schema = atPointer(document, schemaPointer);
  return {
    required: node['required'] === true,
    mediaType,
    mediaTypes,
    kind: kindOf(mediaType),
    schema: isObject(schema) ? schema : {},
    pointer: schema === undefined ? undefined : schemaPointer,
    examples: isObject(media) ? examplesOf(document, media) : [],
  };
}

function kindOf(mediaType: string): RequestBody['kind'] {
  const [type = ''] = mediaType.toLowerCase().split(';', 1);
  if (/^application\/([\w.-]+\+)?json$/.test(type.trim()) || type === '*/*' || type === 'application/*') return 'json';
  if (type.trim() === 'application/x-www-form-urlencoded') return 'form';
  return type.startsWith('text/') ? 'text' : 'other';
}

function readAnswer(document: JsonObject, status: string, { node, pointer }: Located): AnswerSpec {
  return {
    status,
    headers: membersOf(node['headers']).flatMap(([name]) => {
      const header = child(document, { node, pointer }, 'headers', name);
      const schema = header.node['schema'];
      if (/^content-type$/i.test(name)) return [];
      return [
        {
          name,
          required: header.node['required'] === true,
          schema: isObject(schema) ? schema : {},
          pointer: schema === undefined ? undefined : `${header.pointer}/schema`,
        },
      ];
    }),
    content: membersOf(node['content']).map(([mediaType, media]) => {
      const schema = memberOf(media, 'schema');
      return {
        mediaType,
        schema: isObject(schema) ? schema : {},
        pointer: schema === undefined ? undefined : `${pointer}/content/${escapePointer(mediaType)}/schema`,
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
  const pointer = `${parent.pointer}/${names.map(escapePointer).join('/')}`;
  const node = names.reduce<Json | undefined>(memberOf, parent.node);
  return follow(document, { node: isObject(node) ? node : {}, pointer });
}

function follow(document: JsonObject, located: Located): Located {
  let { node, pointer } = located;
  for (let steps = 0; typeof node['$ref'] === 'string' && steps < 16; steps++) {
    pointer = node['$ref'];
    const target = atPointer(document, pointer);
    if (!isObject(target)) throw new CouldNotRun(`the spec refers to ${pointer}, which is not in it`);
    node = target;
  }
  return { node, pointer };
}
