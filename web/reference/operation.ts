import { curlOf } from './curl.js';
import {
  answersOf,
  type Body,
  type Content,
  type Document,
  type Endpoint,
  type Operation,
  type Parameter,
  type Response,
  resolve,
  type Schema,
} from './document.js';
import { type CodeList, codeLinks } from './error-codes.js';
import { codeBlock, exampleBlocks } from './examples.js';
import { type Html, html } from './html.js';
import { inlineMarkdown, markdown } from './markdown.js';
import { boundsLine, markOf, type Side, schemaLine, schemaTree } from './schema-tree.js';
import { boundsOf, typeOf } from './schema-words.js';

/** What the sections of all operations need. */
export interface Context {
  document: Document;
  codeLists: readonly CodeList[];
}

/** The section of an operation: what it requires, takes and answers. */
export function operationSection(context: Context, endpoint: Endpoint): Html {
  const { document } = context;
  const { method, path, operation } = endpoint;
  const { operationId: id, summary, description, requestBody } = operation;
  const parameters = (operation.parameters ?? []).map((parameter) => resolve(document, parameter));
  return html`<article id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title"><a class="self" href="#${id}">${summary}</a></h3>
${endpointLine(method, path)}
<p class="meta"><code>${id}</code>${credentialOf(document, operation)}</p>
${description === undefined ? null : markdown(description)}
${parametersOf(document, parameters)}${requestBody === undefined ? null : bodyOf(document, requestBody)}
<h4>Answers</h4>
${answersOf(document, operation).map(([status, answer]) => answerOf(context, status, answer))}
${path.startsWith('/') ? html`<h4>With curl</h4>${codeBlock(curlOf(document, endpoint))}` : null}</article>
`;
}

export function endpointLine(method: string, path: string): Html {
  const parts = path
    .split(/(\{\w+\})/)
    .map((part) => (part.startsWith('{') ? html`<var>${part}</var>` : html`${part}`));
  return html`<p class="endpoint"><span class="method ${method.toLowerCase()}">${method}</span> <code>${parts}</code></p>`;
}

/** Which scopes the operation requires, or that it needs no credential. */
function credentialOf({ security: usual }: Document, { security = usual }: Operation): Html {
  if (security.length === 0) return html` <span class="needs">needs no credential</span>`;
  const scopes = [...new Set(security.flatMap((scheme) => Object.values(scheme).flat()))];
  if (scopes.length === 0) return html` <span class="needs">needs a valid token</span>`;
  return html` <span class="needs">needs ${scopes.map((scope, at) => html`${at === 0 ? '' : ' and '}<code>${scope}</code>`)}</span>`;
}

const PLACES: readonly [Parameter['in'], string][] = [
  ['path', 'Parameters in the path'],
  ['query', 'Parameters in the query'],
  ['header', 'Request headers'],
  ['cookie', 'Cookies'],
];

function parametersOf(document: Document, parameters: readonly Parameter[]): Html[] {
  return PLACES.flatMap(([place, title]) => {
    const here = parameters.filter((parameter) => parameter.in === place);
    if (here.length === 0) return [];
    return [
      html`<h4>${title}</h4><ul class="members">${here.map((parameter) => parameterOf(document, parameter, 'request'))}</ul>`,
    ];
  });
}

function parameterOf(document: Document, { name, required = false, description, schema }: Parameter, side: Side): Html {
  return html`<li><div class="head"><code class="name">${name}</code> <span class="type">${typeOf(schema)}</span>${markOf(
    required,
    side,
  )}</div>${description === undefined ? null : markdown(description)}${boundsLine(boundsOf(resolve<Schema>(document, schema)))}</li>`;
}

function bodyOf(document: Document, { required = false, description, content }: Body): Html[] {
  return Object.entries(content).map(
    ([mediaType, of]) => html`<h4>Body <span class="type">${mediaType}${required ? null : ', optional'}</span></h4>
${description === undefined ? null : markdown(description)}${contentOf(document, of, 'request')}`,
  );
}

function contentOf(document: Document, content: Content, side: Side): Html {
  const examples = exampleBlocks(document, content);
  const many = examples.length === 1 ? 'Example' : html`${examples.length} examples`;
  return html`${schemaLine(content.schema)}${schemaTree(document, content.schema, side)}${
    examples.length === 0 ? null : html`<details class="examples"><summary>${many}</summary>${examples}</details>`
  }`;
}

function answerOf({ document, codeLists }: Context, status: string, answer: Response): Html {
  const links = codeLinks(document, codeLists, status, answer);
  const headers = Object.entries(answer.headers ?? {});
  const isError = /^[45]/.test(status);
  const [first = ''] = answer.description.split('\n\n');
  return html`<details class="answer"><summary><span class="status ${isError ? 'error' : 'success'}">${status}</span> ${inlineMarkdown(first.trim())}</summary>
${links.length === 0 ? null : html`<p>Codes: ${links}</p>`}${Object.entries(answer.content ?? {}).map(
  ([mediaType, content]) =>
    html`<p class="media"><span class="type">${mediaType}</span></p>${
      isError
        ? html`${schemaLine(content.schema)}${examplesOfError(document, content)}`
        : contentOf(document, content, 'answer')
    }`,
)}${
  headers.length === 0
    ? null
    : html`<details><summary>${headers.length === 1 ? 'One header' : html`${headers.length} headers`}</summary><ul class="members">${headers.map(
        ([name, header]) => {
          const { required = false, ...of } = resolve(document, header);
          return parameterOf(document, { name, in: 'header', required, ...of }, 'answer');
        },
      )}</ul></details>`
}</details>
`;
}

function examplesOfError(document: Document, content: Content): Html {
  return html`${exampleBlocks(document, content)}`;
}
