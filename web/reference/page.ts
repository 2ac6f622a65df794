import { contents, endpointsWith, tagAnchor } from './contents.js';
import { type Document, type Endpoint, endpointsOf, resolve, type Schema } from './document.js';
import { codeListsOf, codeSections } from './error-codes.js';
import { type Html, html } from './html.js';
import { markdown } from './markdown.js';
import { type Context, operationSection } from './operation.js';
import { boundsLine, schemaMembers } from './schema-tree.js';
import { boundsOf, schemaAnchor, typeOf } from './schema-words.js';

/** The reference of the API as one page of HTML without a script. `stylesheet` is the path of its style. */
export function referencePage(document: Document, stylesheet: string): string {
  const { info } = document;
  const context: Context = { document, codeLists: codeListsOf(document) };
  const webhooks = endpointsOf(document.webhooks);
  const all = [...endpointsOf(document.paths), ...webhooks];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${info.summary}">
<title>${info.title} ${info.version}: reference of the API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${stylesheet}">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top"><a class="brand" href="#overview">${info.title}</a> <span class="version">API ${info.version}</span>
<nav aria-label="Other pages"><a href="/console">Console</a> <a href="/openapi.yaml">openapi.yaml</a> <a href="/openapi.json">openapi.json</a></nav></header>
<nav class="contents" aria-label="Contents">
${contents(document)}
</nav>
<main id="content">
<section aria-labelledby="overview"><h1 id="overview">${info.title} API</h1>
<p class="lead">${info.summary}</p>
${markdown(info.description)}</section>
${credentials(document)}
${document.tags.map(({ name, description }) => tagSection(context, name, description))}
<section aria-labelledby="webhooks"><h2 id="webhooks">What webhooks receive</h2>
<p>The service sends these requests to the URLs of webhooks.</p>
${webhooks.map((endpoint) => operationSection(context, endpoint))}</section>
${codeSections(document, all)}
<section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>
${Object.entries(document.components.schemas).map(([name, schema]) => schemaSection(document, name, schema, all))}</section>
</main>
</body>
</html>
`.text;
}

function credentials({ components: { securitySchemes } }: Document): Html {
  const schemes = Object.entries(securitySchemes).map(
    ([id, { type, scheme, in: place, name, description }]) =>
      html`<li><div class="head"><code class="name">${id}</code> <span class="type">${
        type === 'http' ? `Authorization: ${scheme ?? ''}` : `${place ?? ''} ${name ?? ''}`
      }</span></div>${markdown(description)}</li>`,
  );
  return html`<section aria-labelledby="credentials"><h2 id="credentials">Credentials</h2>
<ul class="members">${schemes}</ul></section>
`;
}

function tagSection(context: Context, name: string, description: string): Html {
  const endpoints = endpointsWith(context.document, name);
  const anchor = tagAnchor(name);
  return html`<section aria-labelledby="${anchor}"><h2 id="${anchor}">${name}</h2>
${markdown(description)}
<ul class="operations">${endpoints.map(operationLine)}</ul>
${endpoints.map((endpoint) => operationSection(context, endpoint))}</section>
`;
}

function operationLine({ method, path, operation: { operationId, summary } }: Endpoint): Html {
  return html`<li><a href="#${operationId}">${summary}</a> <span class="endpoint"><span class="method ${method.toLowerCase()}">${method}</span> <code>${path}</code></span></li>`;
}

function schemaSection(document: Document, name: string, schema: Schema, endpoints: readonly Endpoint[]): Html {
  const anchor = schemaAnchor(name);
  const users = usersOf(document, name, endpoints);
  return html`<article id="${anchor}" aria-labelledby="${anchor}-title">
<h3 id="${anchor}-title"><a class="self" href="#${anchor}">${name}</a> <span class="type">${typeOf(schema)}</span></h3>
${schema.description === undefined ? null : markdown(schema.description)}${boundsLine(boundsOf(schema))}${schemaMembers(document, schema)}${
  users.length === 0
    ? null
    : html`<p class="users">In ${users.map((id, at) => html`${at === 0 ? '' : ', '}<a href="#${id}">${id}</a>`)}</p>`
}</article>
`;
}

/** The operations whose parameters or bodies are this schema. */
function usersOf(document: Document, name: string, endpoints: readonly Endpoint[]): string[] {
  const reference = JSON.stringify({ $ref: `#/components/schemas/${name}` });
  return endpoints.flatMap(({ operation: { operationId, parameters, requestBody, responses } }) => {
    const successes = Object.entries(responses).filter(([status]) => status.startsWith('2'));
    const own = [...(parameters ?? []), ...successes.map(([, response]) => response)].map((each) =>
      JSON.stringify(resolve<object>(document, each)),
    );
    return [...own, JSON.stringify(requestBody ?? null)].some((text) => text.includes(reference)) ? [operationId] : [];
  });
}
