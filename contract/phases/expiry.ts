import type { Context } from '../context.js';
import { isObject, type Json, type JsonObject } from '../document/json.js';
import { originOf } from '../document/links.js';
import { isSecured, isUnsafe, type Operation } from '../document/model.js';
import { isExpiryName, isGraceName } from '../document/names.js';
import { branches, typesOf } from '../document/schema.js';
import { type Credential, emptyDraft } from '../http/draft.js';
import { dangerOf, isRotator } from '../policy.js';
import type { Phase } from '../report/types.js';
import { dateNow, sleep } from '../timers.js';
import { rotateBriefly } from './rotation.js';

const PHASE: Phase = 'sequences';
/** The lifetime, in milliseconds, that is requested for a credential. */
const LIFE = 1_500;
/** Milliseconds from the expiry of a credential until its use: servers may count whole seconds. */
const GRACE = 1_100;

/** A credential that expires during the run. */
interface Expiring {
  creator: Operation;
  credential: Credential;
  /** Milliseconds since 1970. */
  endsAt: number;
}

/** Creates credentials with a short lifetime, where the document allows it; `expectExpired` uses them later. */
export async function createExpiring(context: Context): Promise<Expiring[]> {
  const { run, credentials, fixtures } = context;
  const expiring: Expiring[] = [];
  for (const creator of run.spec.operations) {
    if (!isUnsafe(creator) || !isSecured(creator) || context.obstacle(creator) !== undefined) continue;
    if (dangerOf(creator, run.spec) !== 'none') continue;
    const superseded = await supersede(context, creator);
    if (superseded) expiring.push(superseded);
    const member = expiryMember(run.spec.requests, creator);
    if (member === undefined || (run.issues.get(creator.id)?.length ?? 0) === 0) continue;
    const base = await fixtures.base(creator, { phase: PHASE });
    if (!isObject(base.body)) continue;
    const asked = dateNow();
    const body = { ...base.body, [member.name]: member.value(asked + LIFE) };
    const { answer, value } = await run.send(
      { ...base, body },
      { phase: PHASE, name: 'create a credential with a short lifetime', expectation: 'any' },
    );
    const token = tokenAt(value, run.issues.get(creator.id)?.[0]);
    // A server with another clock, or with a longer minimum lifetime, rejects the request. Then nothing is tested.
    if (answer === undefined || answer.status >= 300 || token === undefined) continue;
    const credential = { token, perScheme: {} };
    if (await credentials.isCredential(token)) expiring.push({ creator, credential, endsAt: asked + LIFE });
  }
  return expiring;
}

/** A superseded secret with a short grace period; undefined if the operation cannot create one. */
async function supersede(context: Context, rotator: Operation): Promise<Expiring | undefined> {
  const { spec, issues } = context.run;
  const origin = isRotator(rotator) ? originOf(spec, rotator) : undefined;
  if (origin === undefined || (issues.get(origin.creator.id)?.length ?? 0) === 0) return undefined;
  const resource = await context.fixtures.create(origin.creator, { phase: PHASE, name: `create for ${rotator.id}` });
  const asked = dateNow();
  if (resource?.token === undefined || !(await rotateBriefly(context, rotator, resource))) return undefined;
  return { creator: rotator, credential: { token: resource.token, perScheme: {} }, endsAt: asked + 1_000 };
}

/** Waits until each credential has expired, and checks that the server rejects it. */
export async function expectExpired({ run, credentials }: Context, expiring: Expiring[]): Promise<void> {
  for (const { creator, credential, endsAt } of expiring) {
    const wait = run.isDryRun ? 0 : endsAt + GRACE - dateNow();
    if (wait > 0) await sleep(wait);
    const probe = run.spec.operations.find(
      (operation) =>
        operation.method === 'GET' && isSecured(operation) && operation.parameters.every(({ required }) => !required),
    );
    if (probe === undefined) return;
    await run.send(credentials.attach(emptyDraft(probe), credential), {
      phase: PHASE,
      name: 'use an expired credential',
      expectation: 'any',
      check: ({ status }) =>
        status === 401
          ? []
          : [
              {
                check: 'expiry',
                message: `an expired credential of ${creator.id} gets ${String(status)}`,
                expected: '401',
              },
            ],
    });
  }
}

function expiryMember(
  document: JsonObject,
  { body }: Operation,
): { name: string; value: (end: number) => Json } | undefined {
  for (const { properties = {} } of branches(document, body?.schema)) {
    for (const [name, property] of Object.entries(properties)) {
      const schema = branches(document, property)[0] ?? {};
      if (schema.format === 'date-time' && isExpiryName(name))
        return { name, value: (end) => new Date(end).toISOString() };
      const seconds = /(seconds|ttl)$/i.test(name) && !isGraceName(name) && typesOf(schema).includes('integer');
      if (seconds && (schema.minimum ?? 1) <= 1) return { name, value: () => 1 };
    }
  }
  return undefined;
}

function tokenAt(value: Json | undefined, place: string | undefined): string | undefined {
  const steps = place?.split('/').slice(1) ?? [''];
  const token = steps.reduce<Json | undefined>((node, step) => (isObject(node) ? node[step] : undefined), value);
  return typeof token === 'string' ? token : undefined;
}
