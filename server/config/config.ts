import { unknownVariables, variableIn } from './environment.js';
import { InvalidArgument } from './invalid-argument.js';
import {
  databaseAddress,
  httpOrigin,
  integer,
  isEmail,
  keysUrl,
  noticeDays,
  path,
  sender,
  smtpServer,
  trueOrFalse,
  webOrigins,
} from './values.js';
import { webhookTargets } from './webhook-targets.js';

/** The configuration of the service. Every field has a default; see `defaultConfig`. */
export interface Config {
  /** The address to listen on. */
  host: string;
  /** The port to listen on, 0 to 65535; 0 takes any that is free. */
  port: number;
  /**
   * The path of the database file, `:memory:` for a database that ends with the process, or a PostgreSQL URL such as
   * `postgres://user@host:5432/name?sslmode=verify-full`.
   */
  database: string;
  /** File with the PostgreSQL password, read at each connect; null to use the password in the URL, if there is one. */
  databasePasswordFile: string | null;
  /** Most PostgreSQL connections of a process for transactions, 1 to 500; two more are for look-ups. */
  databaseConnections: number;
  /** The PostgreSQL schema that contains the tables; the service creates it if it does not exist. */
  databaseSchema: string;
  /** `start` brings the schema up to date at the start; `never` leaves that to `latchkey migrate`, and rejects an older one. */
  migrate: 'start' | 'never';
  /** Processes that serve, 1 to 64. `latchkey serve` starts several; `startServer` is always one. */
  workers: number;
  /** The start of every token: 1 to 16 lower-case letters and digits, a letter first. */
  brand: string;
  /** Minutes that a session token lives, 1 to 1440. */
  sessionMinutes: number;
  /** Days that a refresh token lives, 1 to 365. */
  refreshDays: number;
  /** The URL that clients use, such as `https://tokens.example.org`, without a path; null for the socket's address. */
  publicUrl: string | null;
  /** Number of proxies in front of the service whose `X-Forwarded-*` headers it trusts, 0 to 10. */
  trustProxy: number;
  /**
   * Origins whose pages may call the service from a browser, such as `https://app.example.org`, or only `*` for all.
   * Such pages need a token: the service never accepts a cookie from another origin.
   */
  corsOrigins: readonly string[];
  /** Whether the service has pages for browsers: the console and the reference of the API. */
  console: boolean;
  /** The e-mail address of the user that is created if the database has no users. */
  adminEmail: string;
  /** The password of that user, 8 to 1024 characters; null generates one and prints it once. */
  adminPassword: string | null;
  /** Days until a token expires that is created without an expiry, 1 to 36500; null for never. */
  defaultLifetimeDays: number | null;
  /** Longest lifetime of a token in days, 1 to 36500; null for no limit. */
  maxLifetimeDays: number | null;
  /** Whether every token must have an expiry. */
  requireExpiry: boolean;
  /** Most valid personal access tokens of one owner, 1 to 1000000; null for no limit. */
  maxTokensPerOwner: number | null;
  /** What events keep of a client's address: all of it, its network (/24, or /48 of IPv6), or nothing. */
  auditIp: 'full' | 'network' | 'none';
  /** Days for which events are kept, 1 to 36500; null for always. */
  auditDays: number | null;
  /** File with the key of the chain of events, at least 32 bytes, read at the start; null for a chain without a key. */
  auditKeyFile: string | null;
  /** How many days before its expiry a token is noticed, once for each number: at most 10 different ones, 1 to 365. */
  expiryNoticeDays: readonly number[];
  /** The mail server, such as `smtp://user@mail.example.org:587` or `smtps://mail.example.org`; null to send no mails. */
  smtpUrl: string | null;
  /** File with the password for the mail server, read for each mail; null to use the password in the URL, if there is one. */
  smtpPasswordFile: string | null;
  /** Whom mails come from, such as `tokens@example.org` or `Tokens <tokens@example.org>`; required with `smtpUrl`. */
  mailFrom: string | null;
  /** What is done with a token that is reported as leaked: it is revoked or disabled, or only an event tells of it. */
  leakAction: 'revoke' | 'disable' | 'notify';
  /** Where GitHub's keys for secret scanning are, an https or file URL; null to reject GitHub's messages. */
  githubKeysUrl: string | null;
  /** File with the key that encrypts the secrets of webhooks; null for a file beside the SQLite database. */
  secretKeyFile: string | null;
  /** Networks and hosts to which webhooks may go although they are not public, or not https. */
  webhookAllow: readonly string[];
  logLevel: LogLevel;
  /** Whether the service validates every answer against the contract, and sends 500 instead of one that breaks it. */
  checkResponses: boolean;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const defaultConfig: Readonly<Config> = Object.freeze({
  host: '127.0.0.1',
  port: 8080,
  database: 'latchkey.db',
  databasePasswordFile: null,
  databaseConnections: 10,
  databaseSchema: 'public',
  migrate: 'start',
  workers: 1,
  brand: 'lk',
  sessionMinutes: 60,
  refreshDays: 14,
  publicUrl: null,
  trustProxy: 0,
  corsOrigins: [],
  console: true,
  adminEmail: 'admin@latchkey.local',
  adminPassword: null,
  defaultLifetimeDays: null,
  maxLifetimeDays: null,
  requireExpiry: false,
  maxTokensPerOwner: null,
  auditIp: 'full',
  auditDays: null,
  auditKeyFile: null,
  expiryNoticeDays: [30, 7, 1],
  smtpUrl: null,
  smtpPasswordFile: null,
  mailFrom: null,
  leakAction: 'revoke',
  githubKeysUrl: null,
  secretKeyFile: null,
  webhookAllow: [],
  logLevel: 'info',
  checkResponses: false,
});

interface Setting<Value> {
  variable: string;
  allowed: string;
  parse(text: string): Value | undefined;
}

export const SETTINGS: { [Name in keyof Config]: Setting<Config[Name]> } = {
  host: setting('LATCHKEY_HOST', 'a host name or an IP address', (text) =>
    /^[\w.:%-]+$/.test(text) ? text : undefined,
  ),
  port: setting('LATCHKEY_PORT', 'an integer from 0 to 65535', integer(0, 65_535)),
  database: setting(
    'LATCHKEY_DATABASE',
    "a file's path, :memory:, or a URL postgres://user@host:5432/name?sslmode=verify-full, " +
      'whose sslmode is disable, require, verify-ca or verify-full',
    databaseAddress,
  ),
  databasePasswordFile: setting('LATCHKEY_DATABASE_PASSWORD_FILE', "a file's path", path),
  databaseConnections: setting('LATCHKEY_DATABASE_CONNECTIONS', 'an integer from 1 to 500', integer(1, 500)),
  databaseSchema: setting(
    'LATCHKEY_DATABASE_SCHEMA',
    'at most 63 lower-case letters, digits and underscores, no digit first, and no pg_ first',
    (text) => (/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/.test(text) ? text : undefined),
  ),
  migrate: setting('LATCHKEY_MIGRATE', 'start or never', (text) =>
    text === 'start' || text === 'never' ? text : undefined,
  ),
  workers: setting('LATCHKEY_WORKERS', 'an integer from 1 to 64', integer(1, 64)),
  brand: setting('LATCHKEY_BRAND', '1 to 16 lower-case letters and digits, a letter first', (text) =>
    /^[a-z][a-z0-9]{0,15}$/.test(text) ? text : undefined,
  ),
  sessionMinutes: setting('LATCHKEY_SESSION_MINUTES', 'an integer from 1 to 1440', integer(1, 1_440)),
  refreshDays: setting('LATCHKEY_REFRESH_DAYS', 'an integer from 1 to 365', integer(1, 365)),
  publicUrl: setting('LATCHKEY_PUBLIC_URL', 'an http or https URL without path, query or user', httpOrigin),
  trustProxy: setting(
    'LATCHKEY_TRUST_PROXY',
    'the number of proxies in front, 0 to 10, or true for 1 and false for 0',
    (text) => (text === 'true' ? 1 : text === 'false' ? 0 : integer(0, 10)(text)),
  ),
  corsOrigins: setting(
    'LATCHKEY_CORS_ORIGINS',
    'origins such as https://app.example.org, separated by commas, or * alone',
    webOrigins,
  ),
  console: setting('LATCHKEY_CONSOLE', 'true or false', trueOrFalse),
  adminEmail: setting('LATCHKEY_ADMIN_EMAIL', 'an e-mail address of at most 254 characters', (text) =>
    isEmail(text) ? text : undefined,
  ),
  adminPassword: setting('LATCHKEY_ADMIN_PASSWORD', '8 to 1024 characters', (text) =>
    text.length >= 8 && text.length <= 1_024 ? text : undefined,
  ),
  defaultLifetimeDays: setting(
    'LATCHKEY_DEFAULT_LIFETIME_DAYS',
    'an integer from 1 to 36500, and no more than LATCHKEY_MAX_LIFETIME_DAYS',
    integer(1, 36_500),
  ),
  maxLifetimeDays: setting('LATCHKEY_MAX_LIFETIME_DAYS', 'an integer from 1 to 36500', integer(1, 36_500)),
  requireExpiry: setting('LATCHKEY_REQUIRE_EXPIRY', 'true or false', trueOrFalse),
  maxTokensPerOwner: setting('LATCHKEY_MAX_TOKENS_PER_OWNER', 'an integer from 1 to 1000000', integer(1, 1_000_000)),
  auditIp: setting('LATCHKEY_AUDIT_IP', 'full, network or none', (text) =>
    text === 'full' || text === 'network' || text === 'none' ? text : undefined,
  ),
  auditDays: setting('LATCHKEY_AUDIT_DAYS', 'an integer from 1 to 36500', integer(1, 36_500)),
  auditKeyFile: setting('LATCHKEY_AUDIT_KEY_FILE', "a file's path", path),
  expiryNoticeDays: setting(
    'LATCHKEY_EXPIRY_NOTICE_DAYS',
    'none, or at most 10 different integers from 1 to 365, separated by commas',
    noticeDays,
  ),
  smtpUrl: setting(
    'LATCHKEY_SMTP_URL',
    'a URL smtp://user@host:587 or smtps://user@host, without a path, beside LATCHKEY_MAIL_FROM',
    smtpServer,
  ),
  smtpPasswordFile: setting('LATCHKEY_SMTP_PASSWORD_FILE', "a file's path", path),
  mailFrom: setting(
    'LATCHKEY_MAIL_FROM',
    'an e-mail address, or a name and an address such as A <a@example.org>',
    sender,
  ),
  leakAction: setting('LATCHKEY_LEAK_ACTION', 'revoke, disable or notify', (text) =>
    text === 'revoke' || text === 'disable' || text === 'notify' ? text : undefined,
  ),
  githubKeysUrl: setting('LATCHKEY_GITHUB_KEYS_URL', 'an https URL without a user, or a file URL', keysUrl),
  secretKeyFile: setting('LATCHKEY_SECRET_KEY_FILE', "a file's path", path),
  webhookAllow: setting(
    'LATCHKEY_WEBHOOK_ALLOW',
    'networks such as 10.1.0.0/16, addresses and host names, separated by commas',
    webhookTargets,
  ),
  logLevel: setting('LATCHKEY_LOG_LEVEL', `one of ${LOG_LEVELS.join(', ')}`, (text) =>
    LOG_LEVELS.find((level) => level === text),
  ),
  checkResponses: setting('LATCHKEY_CHECK_RESPONSES', 'true or false', trueOrFalse),
};

/**
 * Reads the configuration from flags (by the field's name), else from environment variables, else from `defaults`, else
 * from `defaultConfig`. An empty variable counts as absent. Throws `InvalidArgument` for a wrong value, with what is
 * allowed, and for an unknown variable whose name is within two edits of a setting's variable.
 */
export function readConfig(
  flags: Partial<Record<keyof Config, string | undefined>> = {},
  environment: NodeJS.ProcessEnv = process.env,
  defaults: Partial<Config> = {},
): Readonly<Config> {
  unknownSettings(environment);
  const read = <Name extends keyof Config>(name: Name): Config[Name] => {
    const { variable, allowed, parse } = SETTINGS[name];
    const text = flags[name] ?? variableIn(environment, variable);
    if (text === undefined) return defaults[name] ?? defaultConfig[name];
    const value = parse(text);
    if (value === undefined) {
      // The message leaves out the value, because it may be or contain a password.
      throw new InvalidArgument(`${flags[name] === undefined ? variable : flagOf(name)} must be ${allowed}`);
    }
    return value;
  };
  return completed(read, ({ variable }) => variable);
}

/** The options that `openDatabase` gets from the configuration. */
export function openOptions({
  databasePasswordFile,
  databaseConnections,
  databaseSchema,
  migrate,
}: Pick<Config, 'databasePasswordFile' | 'databaseConnections' | 'databaseSchema' | 'migrate'>) {
  return { passwordFile: databasePasswordFile, connections: databaseConnections, schema: databaseSchema, migrate };
}

/** `unknownVariables` of the settings, and of what the command reads. */
export function unknownSettings(environment: NodeJS.ProcessEnv): string[] {
  return unknownVariables(
    environment,
    Object.values(SETTINGS).map(({ variable }) => variable),
  );
}

/** Adds defaults for missing fields. Throws `InvalidArgument`, which names the option and what is allowed. */
export function completeConfig(given: Partial<Config>): Readonly<Config> {
  const complete = <Name extends keyof Config>(name: Name): Config[Name] => {
    const value = given[name] ?? defaultConfig[name];
    const { allowed, parse } = SETTINGS[name];
    if (!isSame(value, defaultConfig[name]) && !isSame(parse(String(value)), value)) {
      throw new InvalidArgument(`option ${name} must be ${allowed}`);
    }
    return value;
  };
  return completed(complete, (_, name) => `option ${name}`);
}

/** Collects every field by `value`, and checks fields that depend on each other. */
function completed(
  value: <Name extends keyof Config>(name: Name) => Config[Name],
  named: (setting: { variable: string }, name: keyof Config) => string,
): Readonly<Config> {
  const config = Object.fromEntries(configNames.map((name) => [name, value(name)])) as unknown as Config;
  const { defaultLifetimeDays: usual, maxLifetimeDays: longest } = config;
  if (usual !== null && longest !== null && usual > longest) {
    const { allowed, ...setting } = SETTINGS.defaultLifetimeDays;
    throw new InvalidArgument(`${named(setting, 'defaultLifetimeDays')} must be ${allowed}`);
  }
  if (config.smtpUrl !== null && config.mailFrom === null) {
    const { allowed, ...setting } = SETTINGS.mailFrom;
    throw new InvalidArgument(`${named(setting, 'mailFrom')} must be ${allowed}`);
  }
  return Object.freeze(config);
}

const configNames = Object.keys(defaultConfig) as (keyof Config)[];

function setting<Value>(variable: string, allowed: string, parse: (text: string) => Value | undefined): Setting<Value> {
  return { variable, allowed, parse };
}

export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function isSame(parsed: unknown, given: unknown): boolean {
  if (!Array.isArray(given)) return parsed === given;
  return Array.isArray(parsed) && parsed.length === given.length && given.every((each, at) => each === parsed[at]);
}
