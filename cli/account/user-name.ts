/** How the command names a user: by the e-mail, or if there is none, by the external id, the name or the id. */
export function userName(user: {
  id: number;
  email: string | null;
  fullName: string;
  externalId?: string | null;
}): string {
  return user.email ?? user.externalId ?? (user.fullName === '' ? `user ${String(user.id)}` : user.fullName);
}
