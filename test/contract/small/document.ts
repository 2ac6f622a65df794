import { type ContractOptions, type ContractReport, testContract } from '../../../contract/index.js';
import { openSmall, type SmallReply, type SmallRequest } from '../planted/small.js';

/** A small document around some paths. */
export function document<Paths extends object>(paths: Paths, components: object = {}, more: object = {}) {
  return { openapi: '3.0.3', info: { title: 'Small', version: '1' }, paths, components, ...more };
}

/** An answer, or the body of a request, of JSON with this schema. */
export function body(schema: object, mediaType = 'application/json') {
  return { description: 'a body', content: { [mediaType]: { schema } } };
}

/**
 * Runs the contract tests against a server of one function, which is asked only where the document has the method: else
 * the answer is 405.
 */
export async function tested(
  spec: { paths: object; [name: string]: unknown },
  answer: (request: SmallRequest) => SmallReply | Promise<SmallReply>,
  options: Partial<ContractOptions> = {},
): Promise<ContractReport> {
  const templates = Object.entries(spec.paths).map(([path, item]) => ({
    pattern: new RegExp(
      `^${
        path
          .split('#')[0]
          ?.replace(/[.?*+()[\]|^$]/g, '\\$&')
          .replace(/\{[^}]+\}/g, '[^/]+') ?? ''
      }$`,
    ),
    methods: Object.keys(item as object)
      .filter((name) => name !== 'parameters')
      .map((method) => method.toUpperCase()),
  }));
  const { url, close } = await openSmall((request) => {
    const path = decoded(request.path);
    const methods = templates.find(({ pattern }) => pattern.test(path))?.methods;
    const isHead = request.method === 'HEAD' && methods?.includes('GET') === true;
    if (methods === undefined || isHead || methods.includes(request.method)) return answer(request);
    return { status: 405, headers: { Allow: methods.join(', ') } };
  });
  try {
    return await testContract({ url, spec, seed: 5, ...options });
  } finally {
    await close();
  }
}

/** The path as text; as it stands where it is malformed. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
