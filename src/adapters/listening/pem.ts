import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";

/** Reports whether TLS accepts these certificates and keys, and whether they fit together. */
export function isUsable(options: SecureContextOptions): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}

/**
 * Reports whether a file has certificates of authorities. TLS accepts a key in their place, and
 * then trusts no certificate.
 */
export function areAuthorities(ca: Buffer): boolean {
  try {
    return isUsable({ ca }) && new X509Certificate(ca).raw.length > 0;
  } catch {
    return false;
  }
}
