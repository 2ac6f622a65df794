import { type Document, type Endpoint, endpointsOf } from './document.js';
import { Html, html } from './html.js';
import { inlineMarkdown, markdown } from './markdown.js';

/** The reference of the API as one page of HTML without a script. `stylesheet` is the path of its style. */
export function referencePage(document: Document, stylesheet: string): string {
  const { info, tags } = document;
  const endpoints = endpointsOf(document.paths);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title} ${info.version}: reference of the API</title>
<link rel="stylesheet" href="${stylesheet}">
</head>
<body>
<main>
<h1>${info.title} API</h1>
${markdown(info.description)}
${tags.map(
  ({ name, description }) => html`<section><h2>${name}</h2>
${markdown(description)}
${endpoints.filter(({ operation }) => operation.tags?.includes(name)).map(endpointOf)}</section>
`,
)}
</main>
</body>
</html>
`;
  return page.text;
}

function endpointOf({ method, path, operation }: Endpoint): Html {
  const { operationId, summary, description = '' } = operation;
  return html`<article id="${operationId}"><h3>${summary}</h3>
<p><code>${method} ${path}</code></p>
${inlineMarkdown(description)}</article>
`;
}
