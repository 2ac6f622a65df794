import { createStore } from './store.js';

// Addresses of the console are its state: reload, back and forward show the same again.

export const BASE = '/console';

/** Where the console is: the path behind `/console`, and the query. */
export interface Place {
  path: string;
  query: URLSearchParams;
  /** The cursors of the pages before this page of a list, the first one's as an empty text. */
  before: readonly string[];
}

const place = createStore(read());

export const usePlace = (): Place => place.use();

function read(): Place {
  const path = location.pathname.slice(BASE.length).replace(/\/+$/, '') || '/';
  const { before } = (history.state ?? {}) as { before?: readonly string[] };
  return { path, query: new URLSearchParams(location.search), before: before ?? [] };
}

export interface NavigateOptions {
  /** Replaces the entry of the history, for a change that nobody wants to go back to. */
  replace?: boolean;
  before?: readonly string[];
}

/** Shows another place of the console, such as `/tokens?state=expired`. */
export function navigate(to: string, { replace = false, before = [] }: NavigateOptions = {}): void {
  history[replace ? 'replaceState' : 'pushState']({ before }, '', BASE + to);
  place.set(read());
}

/** The address of this place with other values in its query; an empty value removes one. */
export function placeWith({ path, query }: Place, changes: Readonly<Record<string, string>>): string {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') next.delete(name);
    else next.set(name, value);
  }
  const search = next.toString();
  return search === '' ? path : `${path}?${search}`;
}

/** Lets ordinary links to the console change the page without loading it anew. */
export function followLinks(): void {
  addEventListener('popstate', () => {
    place.set(read());
  });
  addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || event.defaultPrevented || event.button !== 0 || link.target !== '') return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.origin !== location.origin || !`${link.pathname}/`.startsWith(`${BASE}/`)) return;
    if (link.hash !== '') return;
    event.preventDefault();
    navigate(link.pathname.slice(BASE.length) + link.search);
    scrollTo(0, 0);
  });
}
