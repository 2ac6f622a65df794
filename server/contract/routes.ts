import Router from '@koa/router';
import type { Context } from 'koa';
import type { Surface } from '../errors.js';
import type { Trace } from '../http/trace.js';
import type { Operation } from './operations.js';

/** Serves one operation: a request's answer is sent when it resolves. `search` is what follows the path's `?`. */
export type Serve = (
  ctx: Context,
  trace: Trace,
  params: Readonly<Record<string, string>>,
  search: string,
) => Promise<void>;

export interface Routes {
  /** Who serves this method at this path, and the parameters in it. */
  find(method: string, path: string): { serve: Serve; params: Readonly<Record<string, string>> } | undefined;
  /** What there is at a path, whatever the method. */
  at(path: string): { methods: string[]; surface: Surface } | undefined;
}

const NO_PARAMETERS = Object.freeze({});

/** The paths of the contract: `router` reads their templates, and finds which one a path fits. */
export function createRoutes(operations: readonly Operation[], serving: (operation: Operation) => Serve): Routes {
  // Both off by default: then `DELETE /access-tokens/`, from a client's empty id, would revoke all tokens.
  const router = new Router({ strict: true, sensitive: true });
  const served = new Map<unknown, Served>();
  // `/tokens/{id}` is no path of `/tokens/current`, not even for the methods that only it knows. And what is found in a
  // map need not be searched for among forty expressions.
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

/** The router wants something to run, and is asked for nothing but what a path is. */
function nothing(): void {}
