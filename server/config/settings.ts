import { type Config, defaultConfig, flagOf, SETTINGS } from './config.js';

/** The settings that are also flags of `latchkey serve`. */
const FLAGS: readonly (keyof Config)[] = ['host', 'port', 'database', 'workers', 'checkResponses'];

const MEANINGS: { [Name in keyof Config]: string } = {
  host: 'address to listen on',
  port: 'port to listen on, 0 for any that is free',
  database: 'the database file, or a PostgreSQL URL',
  databasePasswordFile: 'file with the PostgreSQL password; by default the password in the URL',
  databaseConnections: 'PostgreSQL connections of one process for transactions; look-ups use two more',
  databaseSchema: 'PostgreSQL schema for the tables; created if it does not exist',
  migrate: 'whether a start updates the schema; with never, only latchkey migrate does',
  workers: 'processes that share port and database file',
  brand: 'the start of every token; tokens of another brand are rejected',
  sessionMinutes: 'minutes for which a session token is valid',
  refreshDays: 'days for which a refresh token is valid',
  publicUrl: "the URL that clients use; by default the socket's address",
  trustProxy: 'number of proxies in front whose X-Forwarded-* headers are trusted',
  corsOrigins: 'origins whose pages may use the service from a browser; by default none',
  console: 'whether the service has pages for browsers: the console and the reference of the API',
  adminEmail: 'e-mail of the user that is created if the database has no users',
  adminPassword: 'password of that user; by default it is generated and printed once',
  defaultLifetimeDays: 'days until a token expires that is created without an expiry; by default never',
  maxLifetimeDays: 'longest lifetime of a token in days; by default no limit',
  requireExpiry: 'whether every token must have an expiry',
  maxTokensPerOwner: 'most valid personal access tokens of one owner; by default no limit',
  auditIp: "what the audit log keeps of a client's address: all, its network, or nothing",
  auditDays: 'days for which the audit log keeps events; by default always',
  auditKeyFile: 'file with a key of 32 bytes or more, which the chain of events is computed with; by default none',
  expiryNoticeDays: 'how many days before its expiry a token is noticed; none for no notices',
  smtpUrl: 'the mail server; by default no mails are sent',
  smtpPasswordFile: 'file with the password for the mail server; by default the password in the URL',
  mailFrom: 'whom mails come from',
  leakAction: 'what is done with a token that is reported as leaked; notify writes an event and no more',
  githubKeysUrl: "where GitHub's keys for secret scanning are; by default its messages are rejected",
  secretKeyFile: 'file with the key that encrypts the secrets of webhooks; by default beside the SQLite database',
  webhookAllow: 'networks and hosts that webhooks may go to although they are not public, or not https',
  logLevel: 'the least important level that is logged',
  checkResponses: 'answer 500 if an answer breaks the contract, for development',
};

/** The help text with every setting: its variable, flag, meaning, allowed values and default. */
export function describeSettings(): string {
  const names = Object.keys(MEANINGS) as (keyof Config)[];
  return names.map((name) => `${titleOf(name)}\n      ${MEANINGS[name]}\n      ${boundsOf(name)}\n`).join('');
}

function titleOf(name: keyof Config): string {
  return `  ${SETTINGS[name].variable}${FLAGS.includes(name) ? `, ${flagOf(name)}` : ''}`;
}

function boundsOf(name: keyof Config): string {
  const text = String(defaultConfig[name] ?? '');
  return `${SETTINGS[name].allowed}${text === '' ? '' : ` (${text})`}`;
}
