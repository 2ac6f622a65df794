import { type Document, type Endpoint, endpointsOf } from './document.js';
import { codeListsOf } from './error-codes.js';
import { type Html, html } from './html.js';
import { schemaLink } from './schema-words.js';

/** The anchor of a tag's section. */
export function tagAnchor(name: string): string {
  return `tag-${name.toLowerCase().replaceAll(' ', '-')}`;
}

export function endpointsWith(document: Document, tag: string): Endpoint[] {
  return endpointsOf(document.paths).filter(({ operation }) => operation.tags?.includes(tag));
}

/** The table of contents: the sections, and in each its operations, codes or schemas. */
export function contents(document: Document): Html {
  const tags = document.tags.map(({ name }) => {
    const operations = endpointsWith(document, name).map(({ operation: { operationId, summary } }) => ({
      href: `#${operationId}`,
      text: summary,
    }));
    return part(
      tagAnchor(name),
      name,
      operations.map(({ href, text }) => html`<li><a href="${href}">${text}</a></li>`),
    );
  });
  const webhooks = endpointsOf(document.webhooks).map(
    ({ operation: { operationId, summary } }) => html`<li><a href="#${operationId}">${summary}</a></li>`,
  );
  const codes = codeListsOf(document).map(({ title, anchor, codes: all }) =>
    part(
      `${anchor}s`,
      title,
      all.map((code) => html`<li><a href="#${anchor}-${code}"><code>${code}</code></a></li>`),
      true,
    ),
  );
  const schemas = Object.keys(document.components.schemas).map((name) => html`<li>${schemaLink(name)}</li>`);
  return html`<ul>
<li><a href="#overview">Overview</a></li>
<li><a href="#credentials">Credentials</a></li>
${tags}${part('webhooks', 'What webhooks receive', webhooks)}${codes}${part('schemas', 'Schemas', schemas, true)}</ul>`;
}

/** A part with its entries, closed where they are too many to read. */
function part(anchor: string, title: string, entries: readonly Html[], closed = false): Html {
  const list = html`<ul>${entries}</ul>`;
  return html`<li><a href="#${anchor}">${title}</a>${
    closed ? html`<details><summary>All ${entries.length}</summary>${list}</details>` : list
  }</li>
`;
}
