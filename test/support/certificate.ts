import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

// Certificates for tests of TLS (RFC 5280): Node cannot make them, and a machine may lack openssl.

/** A certificate and its key, in PEM. */
export interface Certificate {
  certificate: string;
  key: string;
  /** The name of the host or of the authority that the certificate is for. */
  name: string;
}

const DAY = 86_400_000;

interface Wish {
  /** The name of the host; undefined for an authority. */
  host?: string;
  /** The name of an authority. */
  name?: string;
  /** The authority that signs it; by default it is self-signed. */
  authority?: Certificate;
  /** Days from now until it expires; negative if it has expired. */
  days?: number;
}

/** Makes a certificate with a new key. */
export function makeCertificate({ host, name = host ?? 'tests', authority, days = 1 }: Wish = {}): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const begin = Date.now() - 30 * DAY;
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    nameOf(authority?.name ?? name),
    sequence(time(begin), time(Date.now() + days * DAY)),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(host === undefined ? IS_AUTHORITY : isFor(host))),
  );
  const signature = sign('sha256', body, authority === undefined ? privateKey : createPrivateKey(authority.key));
  return { certificate: toPem(sequence(body, ECDSA_WITH_SHA256, bits(signature))), key: pemOf(privateKey), name };
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function toPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** DER (ITU-T X.690): a tag, the length, the content. */
function tagged(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? [length] : long)]), content]);
}

function sequence(...contents: Buffer[]): Buffer {
  return tagged(0x30, ...contents);
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function bits(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.from([0]), bytes);
}

function octets(bytes: Buffer): Buffer {
  return tagged(0x04, bytes);
}

function objectId(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

function nameOf(common: string): Buffer {
  return sequence(tagged(0x31, sequence(objectId('550403'), tagged(0x0c, Buffer.from(common)))));
}

/** In the form `20260131235959Z`. */
function time(instant: number): Buffer {
  return tagged(0x18, Buffer.from(new Date(instant).toISOString().replace(/[-:T]|\.\d+/g, '')));
}

const ECDSA_WITH_SHA256 = sequence(objectId('2a8648ce3d040302'));
const TRUE = tagged(0x01, Buffer.from([0xff]));
const IS_AUTHORITY = sequence(objectId('551d13'), TRUE, octets(sequence(TRUE)));

function isFor(host: string): Buffer {
  return sequence(objectId('551d11'), octets(sequence(tagged(0x82, Buffer.from(host)))));
}
