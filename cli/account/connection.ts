import type { Latchkey } from '../../client/index.js';
import { WrongUse } from '../failure.js';
import { variable } from '../variables.js';
import { listProfiles, type Profile, profileName, readProfile } from './profiles.js';
import { checkedUrl, clientOf, explaining } from './service.js';
import { renewingFetch } from './session.js';

/** Flags of every command that asks a service. */
export interface RemoteFlags {
  profile?: string;
  insecureHttp?: boolean;
  json?: boolean;
  color?: boolean;
}

/** The service, and as whom it is asked. */
export interface Connection {
  client: Latchkey;
  url: string;
  /** The profile that the token is from; undefined where it is `LATCHKEY_TOKEN`. */
  profile: (Profile & { name: string }) | undefined;
}

/** Runs `work` with the service that the flags, the environment and the profile point at. */
export async function withConnection<T>(flags: RemoteFlags, work: (to: Connection) => Promise<T>): Promise<T> {
  const connection = await connect(flags);
  const { url, profile } = connection;
  const ended = 'opens nothing: it is unknown, expired, revoked or disabled';
  const unauthorized =
    profile === undefined
      ? `LATCHKEY_TOKEN ${ended}`
      : profile.refreshToken === null
        ? `the token of profile ${profile.name} ${ended}`
        : `the login of profile ${profile.name} has ended: log in again`;
  return await explaining({ url, unauthorized }, () => work(connection));
}

/** A flag counts more than the environment, the environment more than the profile that is used without either. */
async function connect({ profile: flag, insecureHttp = false }: RemoteFlags): Promise<Connection> {
  const token = flag === undefined ? variable('LATCHKEY_TOKEN') : undefined;
  const wanted = flag === undefined ? variable('LATCHKEY_URL') : undefined;
  if (token !== undefined) {
    const url = wanted ?? (await readProfile(profileName(flag)))?.url;
    if (url === undefined) throw new WrongUse('LATCHKEY_TOKEN needs LATCHKEY_URL, the service to send it to');
    return { client: clientOf(url, token, insecureHttp), url, profile: undefined };
  }
  const name = profileName(flag);
  const profile = await readProfile(name);
  if (profile === undefined) throw new WrongUse(await notLoggedIn(name));
  if (wanted !== undefined && checkedUrl(wanted) !== profile.url) {
    throw new WrongUse(
      `LATCHKEY_URL is not ${profile.url}, which profile ${name} is for, and its token is sent nowhere else: set LATCHKEY_TOKEN too`,
    );
  }
  let current = profile;
  const fetch = renewingFetch(name, profile, (renewed) => {
    current = renewed;
  });
  const client = clientOf(profile.url, () => current.token, profile.insecureHttp || insecureHttp, fetch);
  return { client, url: profile.url, profile: { ...profile, name } };
}

/** What to say where a profile is missing. */
export async function notLoggedIn(name: string): Promise<string> {
  const others = await listProfiles();
  const known = others.length === 0 ? '' : `; there are: ${others.join(', ')}`;
  return `nobody is logged in as profile ${name}: see latchkey login --help, or set LATCHKEY_URL and LATCHKEY_TOKEN${known}`;
}
