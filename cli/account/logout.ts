import { WrongUse } from '../failure.js';
import { note, print } from '../output/print.js';
import { toJson } from '../output/text.js';
import { notLoggedIn, type RemoteFlags } from './connection.js';
import { changeProfile, profileName, readProfile } from './profiles.js';
import { endSession } from './session.js';

export interface LogoutFlags extends RemoteFlags {
  forget?: boolean;
}

export async function logout({ profile: flag, forget = false, json = false }: LogoutFlags): Promise<void> {
  const name = profileName(flag);
  const profile = await readProfile(name);
  if (profile === undefined) throw new WrongUse(await notLoggedIn(name));
  // Before the profile is removed: a session that could not be ended stays in it.
  const ended = forget ? false : await endSession(profile);
  await changeProfile(name, (kept) => Promise.resolve(kept?.tokenId === profile.tokenId ? undefined : kept));
  if (json) {
    print(toJson({ profile: name, url: profile.url, ended }));
    return;
  }
  print(`logged out of ${profile.url} (profile ${name})`);
  if (profile.refreshToken === null)
    note('latchkey: the token was removed from this machine, but stays valid until it is revoked');
  else if (forget) note('latchkey: the session was removed from this machine, but stays valid until it expires');
}
