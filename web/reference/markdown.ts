import { Marked } from 'marked';
import { escape, Html } from './html.js';

// The descriptions of openapi.yaml are CommonMark. HTML in them is shown as text.

const marked = new Marked({
  gfm: true,
  async: false,
  renderer: { html: ({ text }) => escape(text) },
});

export function markdown(text: string): Html {
  return new Html(marked.parse(text, { async: false }));
}

/** Markdown without paragraphs, for a line or a cell. */
export function inlineMarkdown(text: string): Html {
  return new Html(marked.parseInline(text, { async: false }));
}
