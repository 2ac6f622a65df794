import { type Content, type Document, resolve } from './document.js';
import { type Html, html } from './html.js';

/** The value of the first example of a body; undefined without examples. */
export function exampleOf(document: Document, { examples = {} }: Content): unknown {
  const [example] = Object.values(examples);
  return example === undefined ? undefined : resolve(document, example).value;
}

/** The examples of a body, one below the other. */
export function exampleBlocks(document: Document, { examples = {} }: Content): Html[] {
  return Object.entries(examples).map(([name, given]) => {
    const { summary, value } = resolve(document, given);
    return html`<figure><figcaption>${summary ?? `Example: ${name}`}</figcaption>${codeBlock(textOf(value))}</figure>`;
  });
}

export function codeBlock(text: string): Html {
  return html`<pre><code>${text}</code></pre>`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trimEnd() : JSON.stringify(value, null, 2);
}
