import { type Config, defaultConfig, flagOf, SETTINGS } from './config.js';

/** The settings that are also flags of `latchkey serve`. */
const FLAGS: readonly (keyof Config)[] = ['host', 'port', 'database', 'workers', 'checkResponses'];

const MEANINGS: { [Name in keyof Config]: string } = {
  host: 'address to listen on',
  port: 'port to listen on, 0 for any that is free',
  database: 'the database file, or the URL of a PostgreSQL database',
  databasePasswordFile: 'file with the password for PostgreSQL; by default that of the URL',
  databaseConnections: 'connections of one process to PostgreSQL for transactions; look-ups use two more',
  databaseSchema: 'PostgreSQL schema for the tables; created if it does not exist',
  migrate: 'when the schema is brought up to date: at the start, or never but by latchkey migrate',
  workers: 'processes that share port and database file',
  brand: 'what every token starts with; tokens of another brand are refused',
  sessionMinutes: 'minutes for which a session token is valid',
  refreshDays: 'days for which a refresh token is valid',
  publicUrl: "the address that clients see; by default the socket's own",
  trustProxy: 'proxies in front whose X-Forwarded-* headers are believed',
  corsOrigins: 'origins whose pages may use the service from a browser; by default none',
  adminEmail: 'the user that is created if the database has none',
  adminPassword: 'its password; by default it is generated, and printed once',
  defaultLifetimeDays: 'lifetime of a token that is given none; by default it has no end',
  maxLifetimeDays: 'longest lifetime of a token; by default any',
  requireExpiry: 'whether every token must have an expiry',
  maxTokensPerOwner: 'personal access tokens that serve at the same time for one owner; by default any number',
  logLevel: 'what is logged',
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
