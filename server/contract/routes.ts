import Router from '@koa/router';
import type { Context } from 'koa';
import type { Surface } from '../errors.js';
import type { Trace } from '../http/trace.js';
import type { Operation } from './operations.js';

/** Serves one request and resolves when its answer is sent. `search` is the query without its `?`. */
export type Serve = (
  ctx: Context,
  trace: Trace,
  params: Readonly<Record<string, string>>,
  search: string,
) => Promise<void>;

export interface Routes {
  /** Finds the operation of this method and path, and the parameters in the path. */
  find(method: string, path: string): { serve: Serve; params: Readonly<Record<string, string>> } | undefined;
  /** The methods and the surface of a path; undefined for an unknown path. */
  at(path: string): { methods: string[]; surface: Surface } | undefined;
}

const NO_PARAMETERS = Object.freeze({});

/** Creates the routes of the operations. @koa/router parses the path templates and matches paths. */
export function createRoutes(operations: readonly Operation[], serving: (operation: Operation) => Serve): Routes {
  // Not the defaults: with them `DELETE /access-tokens/`, sent for an empty id, would revoke all tokens.
  const router = new Router({ strict: true, sensitive: true });
  const served = new Map<unknown, Served>();
  // Paths without parameters. `/tokens/current` must not match `/tokens/{id}`, not even for a method that it lacks; and a
  // map is faster than forty regular expressions.
  const concrete = new Map<string, Layer[]>();
  for (const operation of operations) {
    const path = operation.path.replace(/\{(\w+)\}/g, ':$1');
    const layer = router.register(path, [operation.method], nothing) as Layer;
    served.set(layer, { serve: serving(operation), surface: operation.surface });
    if (path === operation.path) concrete.set(path, [...(concrete.get(path) ?? []), layer]);
  }

  const layersAt = (path: string): Layer[] => {
    const layers = concrete.get(path) ?? router.match(path, '').path;
    return layers.filter((layer) => layer.path === layers[0]?.path);
  };
  return {
    find(method, path) {
      for (const layer of concrete.get(path) ?? layersAt(path)) {
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

type Layer = Router['stack'][number];

interface Served {
  serve: Serve;
  surface: Surface;
}

/** The router needs a handler, but only its matching is used. */
function nothing(): void {}
