import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

// Minimal X.509 certificates for TLS, so that tests need no program to create them. Source: RFC
// 5280; X.690 for the encoding.

/** A certificate and its key as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * The certificates of one test: an authority, the certificates it has issued, and an unknown one.
 */
export interface Certificates {
  readonly authority: Certificate;
  /** A certificate for `localhost` and `127.0.0.1`. */
  readonly server: Certificate;
  /** A certificate for `elsewhere.example`. */
  readonly misnamed: Certificate;
  readonly client: Certificate;
  /** A certificate of another authority, which no client trusts. */
  readonly stranger: Certificate;
  /** The certificate of the server, in its next edition. */
  readonly renewed: Certificate;
  /** A certificate for `localhost` that was valid until 2021. */
  readonly expired: Certificate;
  /** A certificate for `localhost` that is valid from 2048 on. */
  readonly early: Certificate;
}

interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
}

export function makeCertificates(): Certificates {
  const authority = issue("spanring test authority", []);
  const unknown = issue("spanring other authority", []);
  return {
    authority,
    server: issue("server", ["localhost", "127.0.0.1"], authority.issuer),
    misnamed: issue("misnamed", ["elsewhere.example"], authority.issuer),
    client: issue("client", ["client.example"], authority.issuer),
    stranger: issue("stranger", ["localhost", "127.0.0.1"], unknown.issuer),
    renewed: issue("renewed", ["localhost", "127.0.0.1"], authority.issuer),
    expired: issue("expired", ["localhost"], authority.issuer, { to: "210101000000Z" }),
    early: issue("early", ["localhost"], authority.issuer, { from: "480101000000Z" }),
  };
}

interface Dates {
  readonly from?: string;
  readonly to?: string;
}

/** Issues a certificate, self-signed without an issuer. */
function issue(
  name: string,
  hosts: readonly string[],
  by?: Issuer,
  { from = "200101000000Z", to = "491231235959Z" }: Dates = {},
) {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = by ?? { name, key: privateKey };
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    commonName(issuer.name),
    sequence(utcTime(from), utcTime(to)),
    commonName(name),
    publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...(by === undefined ? [AUTHORITY] : [alternativeNames(hosts)]))),
  );
  const signature = bitString(sign("sha256", body, issuer.key));
  const der = sequence(body, ECDSA_WITH_SHA256, signature);
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { cert: pem(der), key, issuer: { name, key: privateKey } };
}

function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content]);
}

/** Encodes a length in as few bytes as possible; BoringSSL accepts no others. */
function lengthBytes(length: number): number[] {
  if (length < 128) return [length];
  return length < 256 ? [0x81, length] : [0x82, length >>> 8, length & 0xff];
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(0x30, ...parts);
}

function integer(bytes: Uint8Array): Buffer {
  return tagged(0x02, bytes);
}

function bitString(bytes: Uint8Array): Buffer {
  return tagged(0x03, Buffer.from([0]), bytes);
}

function utcTime(text: string): Buffer {
  return tagged(0x17, Buffer.from(text));
}

/** Returns an object identifier from its encoded arcs, in hex. */
function objectId(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, "hex"));
}

const ECDSA_WITH_SHA256 = sequence(objectId("2a8648ce3d040302"));

function commonName(name: string): Buffer {
  return sequence(tagged(0x31, sequence(objectId("550403"), tagged(0x0c, Buffer.from(name)))));
}

const TRUE = tagged(0x01, Buffer.from([0xff]));

/** Critical basic constraints: the certificate may issue others. */
const AUTHORITY = sequence(objectId("551d13"), TRUE, tagged(0x04, sequence(TRUE)));

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    isIPv4(host)
      ? tagged(0x87, Buffer.from(host.split(".").map(Number)))
      : tagged(0x82, Buffer.from(host)),
  );
  return sequence(objectId("551d11"), tagged(0x04, sequence(...names)));
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g)!;
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
