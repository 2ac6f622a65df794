import {
  answersOf,
  type Content,
  type Document,
  type Endpoint,
  type Example,
  type Operation,
  type Response,
  resolve,
} from './document.js';
import { type Html, html } from './html.js';

/** A list of codes in the document: the schema and the member that has them, and how their anchors begin. */
export interface CodeList {
  title: string;
  introduction: string;
  anchor: string;
  codes: string[];
}

/** The three lists of codes that answers with errors have. */
export function codeListsOf({ components: { schemas } }: Document): CodeList[] {
  const codesOf = (schema: string, member?: string): string[] => {
    const found = member === undefined ? schemas[schema] : schemas[schema]?.properties?.[member];
    if (found?.enum === undefined) throw new TypeError(`the schema ${schema} has no codes`);
    return found.enum as string[];
  };
  return [
    {
      title: 'Error codes',
      introduction:
        'An error of the access tokens API has its code in `code`. Errors of the private tokens API have a sentence and no code.',
      anchor: 'error',
      codes: codesOf('ErrorCode'),
    },
    {
      title: 'Problems of an input',
      introduction:
        'Invalid input of the access tokens API is 422. Each problem has its kind in `type`, and its place in `loc`.',
      anchor: 'problem',
      codes: codesOf('Problem', 'type'),
    },
    {
      title: 'OAuth errors',
      introduction: 'Operations under `/oauth/` answer with the errors of RFC 6749, in `error`.',
      anchor: 'oauth-error',
      codes: codesOf('OAuthError', 'error'),
    },
  ];
}

/** So many links to operations are shown at once. */
const FEW = 4;

/** Something that an answer says about a code. */
interface Mention {
  status: string;
  sentence: string;
}

const NO_CODES: ReadonlyMap<string, Mention> = new Map();

/** The codes of `list` in an answer's examples and in its description, each with the first sentence about it. */
export function mentionsIn(
  document: Document,
  list: CodeList,
  status: string,
  response: Response,
): ReadonlyMap<string, Mention> {
  if (!/^[45]/.test(status)) return NO_CODES;
  const mentions = new Map<string, Mention>();
  for (const { value } of examplesOf(document, response)) {
    for (const { code, sentence } of codesIn(value)) {
      if (list.codes.includes(code) && !mentions.has(code)) mentions.set(code, { status, sentence });
    }
  }
  if (list.anchor !== 'error') return mentions;
  for (const [, code = ''] of response.description.matchAll(/`(\w+)`/g)) {
    if (list.codes.includes(code) && !mentions.has(code))
      mentions.set(code, { status, sentence: response.description });
  }
  return mentions;
}

function examplesOf(document: Document, { content = {} }: Response): Example[] {
  return Object.values(content).flatMap(({ examples = {} }: Content) =>
    Object.values(examples).map((example) => resolve(document, example)),
  );
}

/** The codes in the body of an error, in each of the three shapes. */
function codesIn(value: unknown): { code: string; sentence: string }[] {
  const body = value as { code?: string; detail?: unknown; error?: string; error_description?: string };
  if (Array.isArray(body.detail)) {
    const problems = body.detail as { type: string; msg: string }[];
    return problems.map(({ type, msg }) => ({ code: type, sentence: msg }));
  }
  if (body.error !== undefined) return [{ code: body.error, sentence: body.error_description ?? '' }];
  return body.code === undefined ? [] : [{ code: body.code, sentence: String(body.detail) }];
}

/** Links to the codes that an answer may have. */
export function codeLinks(document: Document, lists: readonly CodeList[], status: string, response: Response): Html[] {
  return lists.flatMap((list) =>
    [...mentionsIn(document, list, status, response).keys()].map(
      (code) => html`<a class="code" href="#${list.anchor}-${code}"><code>${code}</code></a> `,
    ),
  );
}

/** The sections of the lists of codes: what each code means, and which operations answer it. */
export function codeSections(document: Document, endpoints: readonly Endpoint[]): Html[] {
  return codeListsOf(document).map((list) => {
    const sections = list.codes.map((code) => codeSection(document, list, code, endpoints));
    return html`<section aria-labelledby="${list.anchor}s"><h2 id="${list.anchor}s">${list.title}</h2>
${introduction(list)}<ul class="codes">${sections}</ul></section>
`;
  });
}

function introduction({ introduction: text }: CodeList): Html {
  const parts = text.split('`').map((part, at) => (at % 2 === 0 ? html`${part}` : html`<code>${part}</code>`));
  return html`<p>${parts}</p>`;
}

function codeSection(document: Document, list: CodeList, code: string, endpoints: readonly Endpoint[]): Html {
  const found = endpoints.flatMap(({ operation }) => {
    const mention = mentionOf(document, list, code, operation);
    return mention === undefined ? [] : [{ id: operation.operationId, ...mention }];
  });
  const statuses = [...new Set(found.map(({ status }) => status))].sort();
  const links = found.map(({ id }) => html`<li><a href="#${id}">${id}</a></li>`);
  return html`<li id="${list.anchor}-${code}"><h3><a class="self" href="#${list.anchor}-${code}"><code>${code}</code></a>${
    statuses.length > 0 ? html` <span class="status">${statuses.join(', ')}</span>` : null
  }</h3>${found.length > 0 ? html`<p>${found[0]?.sentence}</p>` : null}${
    links.length > 0 ? operationsOf(links) : list.anchor === 'error' ? html`<p>No operation lists this code.</p>` : null
  }</li>`;
}

function mentionOf(document: Document, list: CodeList, code: string, operation: Operation): Mention | undefined {
  for (const [status, response] of answersOf(document, operation)) {
    const mention = mentionsIn(document, list, status, response).get(code);
    if (mention !== undefined) return mention;
  }
  return undefined;
}

function operationsOf(links: readonly Html[]): Html {
  const list = html`<ul class="links">${links}</ul>`;
  return links.length <= FEW ? list : html`<details><summary>${links.length} operations</summary>${list}</details>`;
}
