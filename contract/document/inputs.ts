import { atPointer, isObject, type JsonObject, membersOf, textOf } from './json.js';
import { examplesOf, type Located } from './located.js';
import type { Encoding, Parameter, RequestBody } from './model.js';
import type { Schema } from './schema.js';
import { fragment } from './shape.js';

// The inputs of an operation: parameters with their styles, and bodies with their media types.

/** Parameters for the names in a path that the document does not declare. */
export function undeclared(path: string, declared: Parameter[]): Parameter[] {
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
      description: '',
      examples: [],
    }));
}

export function readParameter(document: JsonObject, { node, pointer }: Located): Parameter[] {
  const place = node['in'];
  const name = node['name'];
  if (typeof name !== 'string') return [];
  if (place !== 'path' && place !== 'query' && place !== 'header' && place !== 'cookie') return [];
  // OpenAPI tells readers to ignore header parameters with these names.
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
      description: textOf(node['description'] ?? ''),
      examples: [
        ...examplesOf(document, node),
        ...(media && isObject(media[1]) ? examplesOf(document, media[1]) : []),
      ].map(({ value }) => value),
    },
  ];
}

/** The styles that each place allows, the default first. */
const STYLES = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form'],
} as const;

const KINDS = ['json', 'form', 'multipart', 'text', 'xml', 'binary'] as const;

/** The bodies that an operation accepts, those that are easiest to generate first. */
export function readBodies(document: JsonObject, { node, pointer }: Located): RequestBody[] {
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

export function kindOf(mediaType: string, schema: Schema | undefined): RequestBody['kind'] {
  const [type = ''] = mediaType.toLowerCase().split(';', 1);
  const name = type.trim();
  if (/^application\/([\w.-]+\+)?json$/.test(name) || name === 'text/json') return 'json';
  if (name === '*/*' || name === 'application/*') return schema?.format === 'binary' ? 'binary' : 'json';
  if (name === 'application/x-www-form-urlencoded') return 'form';
  if (name === 'multipart/form-data') return 'multipart';
  if (/^(application|text)\/([\w.-]+\+)?xml$/.test(name)) return 'xml';
  return name.startsWith('text/') ? 'text' : 'binary';
}
