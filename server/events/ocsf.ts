import type { EventAction } from '../database/index.js';
import type { Event } from './event.js';

// Events in the Open Cybersecurity Schema Framework (https://schema.ocsf.io), category Identity & Access Management.

const VERSION = '1.3.0';
const CATEGORY = { category_uid: 3, category_name: 'Identity & Access Management' };
const PRODUCT = { name: 'Latchkey', vendor_name: 'Latchkey' };

type Activity = [id: number, name: string];

const CREATE: Activity = [1, 'Create'];
const UPDATE: Activity = [3, 'Update'];
const DELETE: Activity = [4, 'Delete'];
const ACCOUNT_UPDATE: Activity = [99, 'Update'];

/** The class of an action in OCSF, and the activity of that class. */
interface Kind {
  of: 'account' | 'authentication' | 'entity';
  activity: Activity;
  /** 1 informational, 2 low, 3 medium, 4 high. */
  severity?: 1 | 2 | 3 | 4;
  failed?: boolean;
}

const KINDS: Record<EventAction, Kind> = {
  'token.created': { of: 'entity', activity: CREATE },
  'token.updated': { of: 'entity', activity: UPDATE },
  'token.rotated': { of: 'entity', activity: UPDATE },
  'token.grace_ended': { of: 'entity', activity: UPDATE },
  'token.revoked': { of: 'entity', activity: DELETE },
  'token.transferred': { of: 'entity', activity: UPDATE },
  'token.leaked': { of: 'entity', activity: [99, 'Leak'], severity: 4 },
  'token.expiring': { of: 'entity', activity: [99, 'Expiry Notice'] },
  'token.expired': { of: 'entity', activity: [99, 'Expiry'] },
  'session.opened': { of: 'authentication', activity: [1, 'Logon'] },
  'session.closed': { of: 'authentication', activity: [2, 'Logoff'] },
  'session.refresh_reused': { of: 'authentication', activity: [2, 'Logoff'], severity: 3 },
  'login.failed': { of: 'authentication', activity: [1, 'Logon'], severity: 2, failed: true },
  'user.created': { of: 'account', activity: CREATE },
  'user.updated': { of: 'account', activity: ACCOUNT_UPDATE },
  'user.disabled': { of: 'account', activity: [5, 'Disable'] },
  'user.enabled': { of: 'account', activity: [2, 'Enable'] },
  'user.deleted': { of: 'account', activity: [6, 'Delete'] },
  'user.password_changed': { of: 'account', activity: [3, 'Password Change'] },
  'user.offboarded': { of: 'account', activity: [99, 'Offboard'] },
  'webhook.created': { of: 'entity', activity: CREATE },
  'webhook.updated': { of: 'entity', activity: UPDATE },
  'webhook.secret_rotated': { of: 'entity', activity: UPDATE },
  'webhook.enabled': { of: 'entity', activity: UPDATE },
  'webhook.disabled': { of: 'entity', activity: UPDATE },
  'webhook.deleted': { of: 'entity', activity: DELETE },
  'policy.applied': { of: 'entity', activity: UPDATE },
  'audit.pruned': { of: 'entity', activity: DELETE },
};

const CLASSES = {
  account: [3001, 'Account Change'],
  authentication: [3002, 'Authentication'],
  entity: [3004, 'Entity Management'],
} as const;

const SEVERITIES = { 1: 'Informational', 2: 'Low', 3: 'Medium', 4: 'High' } as const;

/** An event as OCSF shows it. `metadata.sequence` is the place in the chain. */
export function toOcsf(event: Event): object {
  const { action, actor, address, userAgent, requestId, reason, changes, hash } = event;
  const { of, activity, severity = 1, failed = false } = KINDS[action];
  const [activityId, activityName] = activity;
  const [classUid, className] = CLASSES[of];
  return {
    metadata: {
      version: VERSION,
      product: PRODUCT,
      uid: event.uuid,
      sequence: event.seq,
      event_code: action,
      ...(requestId !== null && { correlation_uid: requestId }),
    },
    time: event.at,
    ...CATEGORY,
    class_uid: classUid,
    class_name: className,
    activity_id: activityId,
    activity_name: activityName,
    type_uid: classUid * 100 + activityId,
    type_name: `${className}: ${activityName}`,
    severity_id: severity,
    severity: SEVERITIES[severity],
    status_id: failed ? 2 : 1,
    status: failed ? 'Failure' : 'Success',
    ...(reason !== null && { status_detail: reason }),
    ...(changes.count !== undefined && { count: changes.count }),
    actor: actorOf(actor),
    ...(address !== null && { src_endpoint: { ip: address } }),
    ...(userAgent !== null && { http_request: { user_agent: userAgent } }),
    ...subjectOf(of, event),
    unmapped: { ...((changes.before ?? changes.after ?? changes.ids) ? { changes } : {}), hash },
  };
}

function actorOf({ kind, userId, tokenUuid, label }: Event['actor']): object {
  if (userId === null) return { app_name: kind };
  const user = { uid: String(userId), ...(label !== null && { name: label, email_addr: label }) };
  return { user, ...(tokenUuid !== null && { session: { uid: tokenUuid } }) };
}

/** The member that the class requires: the user who was changed or who logs in, or the thing that was changed. */
function subjectOf(of: Kind['of'], { action, target, ownerId, changes }: Event): object {
  const isUser = target?.kind === 'user';
  const user = {
    ...(ownerId !== null && { uid: String(ownerId) }),
    ...(isUser && target.label !== null && { name: target.label, email_addr: target.label }),
    ...(ownerId === null && { name: 'unknown' }),
  };
  if (of === 'account') return { user };
  if (of === 'authentication') {
    const session = target?.uuid == null ? {} : { session: { uid: target.uuid } };
    return { user, service: { name: 'Latchkey' }, ...session };
  }
  if (target === null) {
    const name = action === 'policy.applied' ? 'policy' : 'audit log';
    return { entity: { type: name, name } };
  }
  if (target.kind === 'tokens') {
    return { entity: { type: 'access tokens', name: `${String(changes.count ?? 0)} access tokens` } };
  }
  const type = target.kind === 'webhook' ? 'webhook' : 'access token';
  return { entity: { type, uid: target.uuid, name: target.label } };
}
