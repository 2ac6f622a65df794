import { randomInt } from 'node:crypto';
import * as fc from 'fast-check';
import { sampleOf } from './cases/samples.js';
import { slotsOf, withValue } from './cases/slots.js';
import { formatted } from './cases/strings.js';
import { unlikelyIds } from './cases/unlikely-ids.js';
import { type Credentials, placeOf, tokensIn } from './credentials.js';
import { isExcluded } from './document/dependencies.js';
import { isObject, type Json, type JsonObject } from './document/json.js';
import { evaluate, identify, type LinkSource, listOf, originOf, pathNames } from './document/links.js';
import { isSecured, isUnsafe, type Operation, type Parameter, type RequestBody } from './document/model.js';
import {
  isCursorName,
  isExpiryName,
  isIfMatchName,
  isOnceKeyName,
  isPreconditionName,
  isProtectionName,
  isSecretOrPasswordName,
} from './document/names.js';
import { flatten } from './document/schema.js';
import type { CaseInfo, Exchange } from './exchange.js';
import { type Draft, emptyDraft } from './http/draft.js';
import type { Phase } from './report/types.js';
import type { Run } from './run.js';
import { type ConfiguredValue, valueIn, withConfigured } from './values.js';
import { withOtherTexts } from './variation.js';

/** Something that the run has created. */
export interface Resource {
  creator: Operation;
  exchange: Exchange;
  /** The credential that its creation issued; undefined if there is none. */
  token: string | undefined;
}

interface How {
  /**
   * By default a request has only the required parameters and members. With true it has the optional ones too, with
   * `members` only the body's: an optional parameter may name something that does not exist, such as an owner.
   */
  all?: boolean | 'members';
}

/** Valid requests, and the things that they need. */
export interface Fixtures {
  /**
   * A valid request that should succeed. With `fresh` the run creates a new thing for it, as an operation that ends a
   * thing needs.
   */
  base(operation: Operation, how?: How & { fresh?: boolean; phase?: Phase }): Promise<Draft>;
  /** Creates a thing. Resolves with undefined if that fails. */
  create(creator: Operation, info: CaseInfo, how?: How): Promise<Resource | undefined>;
  /** From now on, each valid request of the operation has other texts, because their values must be unique. */
  varyTexts(operation: Operation): void;
  /** Whether `varyTexts` was called for the operation. */
  isUnique(operation: Operation): boolean;
  /** A valid request of an operation on `resource`; undefined if its path parameters cannot be derived. */
  on(operation: Operation, resource: Resource): Promise<Draft | undefined>;
  /** The credential that an answer issued: the first text in it that authenticates; undefined if there is none. */
  credentialIn(operation: Operation, exchange: Exchange): Promise<string | undefined>;
  /** Everything that the run has created and deletes at its end. */
  made: Resource[];
  /** Forgets the things that requests share, after an operation may have deleted them. */
  forget(): void;
}

export function createFixtures(run: Run, credentials: Credentials): Fixtures {
  const { spec, judge, seed } = run;
  const shared = new Map<string, Resource>();
  const made: Resource[] = [];

  const accepts = (pointer: string | undefined) => (value: Json) =>
    pointer === undefined || judge.objections('request', pointer, value).length === 0;

  function parameterValue({ name, schema, pointer, examples }: Parameter): Json | undefined {
    const fits = accepts(pointer);
    return (
      examples.find(fits) ??
      sampleOf(spec.requests, schema, { seed: seedOf(name), name, accepts: (value) => value !== '' && fits(value) })
    );
  }

  /** Unspecified texts are the same for the same seed. A secret has its own seed, because its text must be unique. */
  const seedOf = (name: string) => (isSecretOrPasswordName(name) ? seed + 7_919 : seed);

  /** The value of a parameter in a request that should succeed. */
  function validValue(parameter: Parameter): Json | undefined {
    const { name, in: place, pointer } = parameter;
    if (isProtectionName(name)) return true;
    if (place === 'header' && isOnceKeyName(name)) return run.keys.fresh(parameter) ?? parameterValue(parameter);
    if (place === 'header' && isIfMatchName(name) && accepts(pointer)('*')) return '*';
    return parameterValue(parameter);
  }

  /** Whether the correct value depends on the server's state, so that a valid request omits the parameter. */
  function isConditional({ name, in: place, pointer }: Parameter): boolean {
    if (isCursorName(name)) return true;
    return place === 'header' && isPreconditionName(name) && !(isIfMatchName(name) && accepts(pointer)('*'));
  }

  function bodyValue(operation: Operation, body: RequestBody, all: boolean): Json | undefined {
    const fits = accepts(body.pointer);
    const fields = credentials.loginFields(operation);
    const { login } = run.options;
    if (fields && login && !isSecured(operation))
      return { [fields.user]: login.username, [fields.password]: login.password };
    const example = body.examples.map(({ value }) => value).find(fits);
    // If no value is certainly valid, such as for a pattern that is not ECMA-262, one that may be valid is used.
    const mayFit =
      ({ pointer }: RequestBody) =>
      (given: Json) =>
        pointer === undefined || judge.opinion(pointer, given).kind !== 'invalid';
    let value =
      example ??
      sampleOf(spec.requests, body.schema, { seed, accepts: fits }) ??
      sampleOf(spec.requests, body.schema, { seed, accepts: mayFit(body) });
    for (const { path, schema, required } of slotsOf(spec.requests, body.schema)) {
      if (value === undefined) break;
      const name = String(path.at(-1));
      const { format } = flatten(spec.requests, schema);
      let member: Json | undefined;
      if (isProtectionName(name)) member = true;
      // An expiry in an example may be past by now.
      else if (format === 'date-time' && isExpiryName(name))
        member = fc.sample(formatted(format) ?? fc.constant(''), { seed, numRuns: 1 })[0];
      else if (required) continue;
      else if (all)
        member = sampleOf(spec.requests, schema, {
          seed: seedOf(name),
          name,
          accepts: (given) => given !== null && fits(withValue(value ?? null, path, given) ?? null),
        });
      if (!required && !all && !isProtectionName(name)) member = undefined;
      const changed = withValue(value, path, member);
      if (changed !== undefined && fits(changed)) value = changed;
    }
    return value;
  }

  /** The path parameters of an operation on `resource`; undefined if one of them cannot be derived. */
  function address(operation: Operation, resource: Resource): Record<string, Json> | undefined {
    const origin = originOf(spec, operation);
    const { draft, value } = resource.exchange;
    const source = sourceOf(resource.exchange);
    const path: JsonObject = {};
    for (const name of pathNames(operation)) {
      const expression =
        origin?.creator === resource.creator
          ? (origin.link?.parameters[name] ?? origin.link?.parameters[`path.${name}`])
          : undefined;
      const found =
        expression === undefined ? (draft.path[name] ?? identify(value, name)) : evaluate(expression, source);
      if (found === undefined || found === null) return undefined;
      path[name] = found;
    }
    return path;
  }

  /** Counts of `varyTexts` by operationId. Each starts at random, because things of earlier runs may still exist. */
  const counts = new Map<string, number>();
  const varyTexts = ({ id }: Operation) => counts.set(id, (counts.get(id) ?? randomInt(1_000_000)) + 1);

  const create: Fixtures['create'] = async (creator, info, how) => {
    const send = async () => await run.send(await base(creator, { ...how, phase: info.phase }), info);
    if (counts.has(creator.id)) varyTexts(creator);
    let exchange = await send();
    if (exchange.answer?.status === 409 && creator.body !== undefined) {
      varyTexts(creator);
      exchange = await send();
    }
    if (exchange.answer === undefined || exchange.answer.status >= 300) return undefined;
    const resource: Resource = { creator, exchange, token: await credentialIn(creator, exchange) };
    made.push(resource);
    return resource;
  };

  /** Looks for the place of the credential once for each operation. */
  async function credentialIn(creator: Operation, { value }: Exchange): Promise<string | undefined> {
    const known = run.issues.get(creator.id);
    const candidates = tokensIn(value);
    if (known) return candidates.find((text) => known.includes(placeOf(value, text) ?? ''));
    run.issues.set(creator.id, []);
    for (const text of candidates) {
      const place = placeOf(value, text);
      if (place === undefined || !(await credentials.isCredential(text))) continue;
      run.issues.set(creator.id, [place]);
      run.secrets.add(text);
      return text;
    }
    return undefined;
  }

  async function pathFor(operation: Operation, fresh: boolean, phase: Phase): Promise<Record<string, Json>> {
    const origin = originOf(spec, operation);
    if (origin) {
      const known = fresh ? undefined : shared.get(origin.creator.id);
      const resource = known ?? (await create(origin.creator, { phase, name: `create for ${operation.id}` }));
      if (resource && !fresh) shared.set(origin.creator.id, resource);
      const path = resource && address(operation, resource);
      if (path) return path;
    }
    const listed = isUnsafe(operation) ? undefined : await listedPath(operation);
    if (listed) return listed;
    const path: JsonObject = {};
    for (const parameter of operation.parameters) {
      if (parameter.in !== 'path') continue;
      const unlikely = isUnsafe(operation) ? unlikelyId(parameter) : undefined;
      const value = unlikely ?? parameterValue(parameter);
      if (value !== undefined) path[parameter.name] = value;
    }
    return path;
  }

  /** The path parameters of the first row in the list of the operation's things; undefined if there is no such row. */
  async function listedPath(operation: Operation): Promise<Record<string, Json> | undefined> {
    const parameter = operation.parameters.find(({ name }) => name === pathNames(operation).at(-1));
    const list = listOf(spec, operation);
    if (parameter === undefined || list === undefined || spec.broken.has(list.id)) return undefined;
    const exchange = await answerOf(list, parameter.name);
    if (exchange?.answer === undefined || exchange.answer.status >= 300) return undefined;
    const id = valueIn(exchange, parameter.name, undefined);
    if (id === undefined || !accepts(parameter.pointer)(id)) return undefined;
    return { ...exchange.draft.path, [parameter.name]: id };
  }

  /** An id that almost certainly belongs to nothing, for operations that change what they name. */
  function unlikelyId({ schema, pointer }: Parameter): Json | undefined {
    return fc.sample(unlikelyIds(flatten(spec.requests, schema).format), { seed, numRuns: 20 }).find(accepts(pointer));
  }

  async function base(
    operation: Operation,
    { all = false, fresh = false, phase = 'setup' }: How & { fresh?: boolean; phase?: Phase } = {},
  ): Promise<Draft> {
    const draft = emptyDraft(operation);
    if (pathNames(operation).length > 0) draft.path = await pathFor(operation, fresh, phase);
    for (const parameter of operation.parameters) {
      if (parameter.in === 'path' || isExcluded(draft, parameter)) continue;
      if (!parameter.required && !isProtectionName(parameter.name) && (all !== true || isConditional(parameter)))
        continue;
      const value = validValue(parameter);
      if (value !== undefined) draft[parameter.in][parameter.name] = value;
    }
    if (operation.body) draft.body = bodyValue(operation, operation.body, all !== false);
    const count = counts.get(operation.id);
    const given = await withConfiguredValues(count === undefined ? draft : withOtherTexts(run, draft, count));
    return credentials.attach(given);
  }

  /** The draft with the configured values of its operation. */
  async function withConfiguredValues(draft: Draft): Promise<Draft> {
    let given = draft;
    for (const one of run.valuesOf(draft.operation)) {
      const value = one.from === undefined ? one.value : await valueFrom(one.from, one.name);
      if (value !== undefined) given = withConfigured(given, one, value);
    }
    return given;
  }

  const answers = new Map<Operation, Exchange | 'pending'>();

  /** Sends the request of each source once. Its own request cannot have values from itself. */
  async function answerOf(operation: Operation, name: string): Promise<Exchange | undefined> {
    if (!answers.has(operation)) {
      answers.set(operation, 'pending');
      answers.set(operation, await run.send(await base(operation), { phase: 'setup', name: `a value for ${name}` }));
    }
    const exchange = answers.get(operation);
    return exchange === 'pending' ? undefined : exchange;
  }

  async function valueFrom(
    { operation, at }: NonNullable<ConfiguredValue['from']>,
    name: string,
  ): Promise<Json | undefined> {
    const exchange = await answerOf(operation, name);
    if (exchange === undefined) return undefined;
    const value = valueIn(exchange, name, at);
    if (value === undefined)
      run.record.note(`the answer of ${operation.id} has no value for ${name}; a generated value is sent`);
    return value;
  }

  async function on(operation: Operation, resource: Resource): Promise<Draft | undefined> {
    const path = address(operation, resource);
    if (path === undefined) return undefined;
    const pathless = { ...operation, parameters: operation.parameters.filter((each) => each.in !== 'path') };
    return credentials.attach({ ...(await base(pathless)), operation, path });
  }

  return {
    base,
    create,
    varyTexts,
    isUnique: ({ id }) => counts.has(id),
    on,
    credentialIn,
    made,
    forget: () => {
      shared.clear();
    },
  };
}

export function sourceOf({ draft, value, answer }: Exchange): LinkSource {
  return { path: draft.path, query: draft.query, requestBody: draft.body, value, headers: answer?.headers ?? {} };
}

/** The member of an object as JSON, for comparison; undefined if there is none. */
export function memberText(value: Json | undefined, name: string): string | undefined {
  const member = isObject(value) ? value[name] : undefined;
  return member === undefined ? undefined : JSON.stringify(member);
}
