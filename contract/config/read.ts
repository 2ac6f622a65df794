import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { CouldNotRun } from '../errors.js';
import type { ContractHooks } from '../hooks.js';
import type { Laws } from '../laws/types.js';
import type { ContractOptions, Identity } from '../options.js';
import { readSecret, type SecretSource } from './secret.js';
import type { ConfiguredIdentity, ContractConfig } from './types.js';

/** The configuration file that `latchkey contract` reads from the working directory if `--config` is not given. */
export const CONFIG_FILE = 'latchkey-contract.yaml';

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000 };

/**
 * Reads a configuration file of the contract tests, in YAML or JSON, and loads its credentials, laws and hooks.
 * Relative paths are relative to the file's folder. Rejects with `CouldNotRun` if a file cannot be read or a member is
 * wrong; the message names each such member.
 */
export async function readContractConfig(file: string): Promise<Partial<ContractOptions>> {
  const path = resolve(file);
  const folder = dirname(path);
  const config = validate(await readYaml(path), path);
  const { spec, other, headers, time, answerTimeout, maxResponseTime, hooks, laws, ...rest } = config;
  // `readIdentity` replaces the sources of credentials by the credentials themselves.
  const plain = rest as Omit<typeof rest, keyof ConfiguredIdentity>;
  const others = await Promise.all([other ?? []].flat().map((each) => readIdentity(each, folder)));
  return {
    ...plain,
    ...(await readIdentity(config, folder)),
    ...(spec !== undefined && { spec: /^https?:/.test(spec) ? spec : resolve(folder, spec) }),
    ...(others.length > 0 && { other: others }),
    ...(headers !== undefined && { headers: await readAll(headers, folder) }),
    ...(time !== undefined && { timeMs: milliseconds(time) }),
    ...(answerTimeout !== undefined && { answerTimeoutMs: milliseconds(answerTimeout) }),
    ...(maxResponseTime !== undefined && { maxResponseMs: milliseconds(maxResponseTime) }),
    ...(laws !== undefined && { laws: typeof laws === 'string' ? await readLaws(resolve(folder, laws)) : laws }),
    ...(hooks !== undefined && { hooks: await readHooks(resolve(folder, hooks)) }),
  };
}

/** The `laws` of a separate file, which the schema of the configuration validates too. */
async function readLaws(path: string): Promise<Laws> {
  const { laws } = validate(await readYaml(path), path);
  if (typeof laws !== 'object') throw new CouldNotRun(`${path} is wrong: it must have the member laws`);
  return laws;
}

async function readYaml(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new CouldNotRun(`${path} cannot be read: ${messageOf(error)}`);
  }
  try {
    const value: unknown = parse(text, { logLevel: 'error', merge: true });
    return value ?? {};
  } catch (error) {
    throw new CouldNotRun(`${path} is neither YAML nor JSON: ${messageOf(error)}`);
  }
}

function validate(value: unknown, path: string): ContractConfig {
  const schema = createRequire(import.meta.url)('latchkey/contract.schema.json') as object;
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  addFormats.default(ajv);
  if (ajv.validate(schema, value)) return value as ContractConfig;
  const faults = (ajv.errors ?? [])
    // The error of `oneOf` or `anyOf` covers the errors of its alternatives.
    .filter(({ keyword, schemaPath }) => !/\/(oneOf|anyOf)\/\d+\//.test(schemaPath) && keyword !== 'if')
    .map(({ instancePath, message = 'is wrong', keyword, params }) => {
      const place = instancePath === '' ? 'it' : instancePath.slice(1).replaceAll('/', '.');
      if (keyword === 'additionalProperties') return `${place} has no member ${String(params['additionalProperty'])}`;
      if (keyword === 'enum') return `${place} must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`;
      if (keyword === 'oneOf')
        return `${place} must be { env: NAME } or { file: PATH }: this file must not contain credentials`;
      return `${place} ${message}`;
    });
  throw new CouldNotRun(`${path} is wrong: ${faults.join('; ')}`);
}

async function readIdentity(identity: ConfiguredIdentity, folder: string): Promise<Identity> {
  const { token, credentials, login } = identity;
  return {
    ...(token !== undefined && { token: await readSecret(token, folder) }),
    ...(credentials !== undefined && { credentials: await readAll(credentials, folder) }),
    ...(login !== undefined && {
      login: { username: login.username, password: await readSecret(login.password, folder) },
    }),
  };
}

async function readAll(
  sources: Record<string, string | SecretSource>,
  folder: string,
): Promise<Record<string, string>> {
  const read: Record<string, string> = {};
  for (const [name, source] of Object.entries(sources))
    read[name] = typeof source === 'string' ? source : await readSecret(source, folder);
  return read;
}

async function readHooks(path: string): Promise<ContractHooks> {
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (error) {
    throw new CouldNotRun(`the hooks ${path} cannot be loaded: ${messageOf(error)}`);
  }
  const { default: whole } = module;
  const hooks = typeof whole === 'object' && whole !== null ? whole : module;
  const known = ['setUp', 'request', 'answer', 'tearDown'];
  const wrong = Object.entries(hooks).find(([name, hook]) => !known.includes(name) || typeof hook !== 'function');
  if (wrong)
    throw new CouldNotRun(
      `the hooks ${path} export ${wrong[0]}: they may only export the functions ${known.join(', ')}`,
    );
  return hooks;
}

/** Milliseconds of a duration such as `90s`, whose form the schema has validated. */
function milliseconds(duration: string): number {
  const [, count = '', unit = 's'] = /^(\d+)(ms|s|m)$/.exec(duration) ?? [];
  return Number(count) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
