import Router from '@koa/router';
import type { Context } from 'koa';
import type { Surface } from '../errors.js';
import type { Trace } from '../http/trace.js';
import type { Operation } from './operations.js';

/** Serves one request and resolves when the answer is sent. `search` is the URL's query without the `?`. */
export type Serve = (
  ctx: Context,
  trace: Trace,
  params: Readonly<Record<string, string>>,
  search: string,
) => Promise<void>;

/** The routes of all operations. */
export interface Routes {
  /** Finds the operation for a method and a path, and the parameters in the path; undefined if there is none. */
  find(method: string, path: string): { serve: Serve; params: Readonly<Record<string, string>> } | undefined;
  /** Returns the methods and the surface of a path; undefined for an unknown path. */
  at(path: string): { methods: string[]; surface: Surface } | undefined;
}

const NO_PARAMETERS = Object.freeze({});

/** Creates the routes of the operations. @koa/router parses the path templates and matches paths. */
export function createRoutes(operations: readonly Operation[], serving: (operation: Operation) => Serve): Routes {
  // Both options must be true. By default a path also matches with a trailing slash: a client that sends
  // `DELETE /access-tokens/` with an empty token id would then revoke all tokens.
  const router = new Router({ strict: true, sensitive: true });
  const served = new Map<unknown, Served>();
  // The paths without parameters. `/tokens/current` must never match `/tokens/{id}`, even if a request's method exists
  // only for `/tokens/{id}`. A map also finds these paths faster than forty regular expressions.
  const concrete = new Map<string, Layer[]>();
  /** The paths with parameters by their number of segments. */
  const templates = new Map<number, Template[]>();
  for (const operation of [...operations].sort(byLiteralsFirst)) {
    const path = operation.path.replace(/\{(\w+)\}/g, ':$1');
    const layer = router.register(path, [operation.method], nothing) as Layer;
    served.set(layer, { serve: serving(operation), surface: operation.surface });
    if (path === operation.path) concrete.set(path, [...(concrete.get(path) ?? []), layer]);
    else addTemplate(templates, operation.path, layer);
  }

  const layersAt = (path: string): readonly Layer[] => {
    const known = concrete.get(path);
    if (known !== undefined) return known;
    const ofLength = templates.get(path.split('/').length) ?? [];
    return ofLength.find(({ start, layers }) => path.startsWith(start) && layers[0]?.match(path))?.layers ?? [];
  };
  return {
    find(method, path) {
      for (const layer of layersAt(path)) {
        const serve = layer.methods.includes(method) ? served.get(layer)?.serve : undefined;
        if (serve === undefined) continue;
        const params = layer.paramNames.length === 0 ? NO_PARAMETERS : layer.params(path, layer.captures(path));
        return { serve, params };
      }
      return undefined;
    },
    at(path) {
      const layers = layersAt(path);
      const surface = served.get(layers[0])?.surface;
      if (surface === undefined) return undefined;
      return { surface, methods: [...new Set(layers.flatMap(({ methods }) => methods))].sort() };
    },
  };
}

/**
 * Of two paths that match the same text, the one comes first that has a word where the other has a parameter:
 * `/users/external/{external_id}` before `/users/{user_id}/offboard`. The ids of users are numbers, so that nothing is lost.
 */
function byLiteralsFirst(a: Operation, b: Operation): number {
  const [these, those] = [a.path.split('/'), b.path.split('/')];
  if (these.length !== those.length) return these.length - those.length;
  const index = these.findIndex((segment, at) => segment.startsWith('{') !== those[at]?.startsWith('{'));
  return index === -1 ? 0 : these[index]?.startsWith('{') === true ? 1 : -1;
}

type Layer = Router['stack'][number];

/** The layers of one path with parameters. */
interface Template {
  path: string;
  /** The path up to its first parameter. It is compared first, because a regular expression for each path takes longer. */
  start: string;
  layers: Layer[];
}

function addTemplate(templates: Map<number, Template[]>, path: string, layer: Layer): void {
  const segments = path.split('/').length;
  const ofLength = templates.get(segments) ?? [];
  const known = ofLength.find((template) => template.path === path);
  if (known === undefined) ofLength.push({ path, start: path.slice(0, path.indexOf('{')), layers: [layer] });
  else known.layers.push(layer);
  templates.set(segments, ofLength);
}

interface Served {
  serve: Serve;
  surface: Surface;
}

/**
 * A handler that never runs. The router needs a handler for each route, but this service uses only the router's
 * matching.
 */
function nothing(): void {}
