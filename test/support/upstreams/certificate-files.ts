import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../../../src/config/config.ts";
import type { Certificate } from "./certificates.ts";

/** The files of a listener with TLS, in a folder. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  /** Replaces the certificate and its key. */
  put(certificate: Certificate): void;
  /** Returns the variables of a listener, such as `API`; with clients that need certificates. */
  variables(listener: string, needsClientCertificate?: boolean): Environment;
}

export function certificateFiles(
  folder: string,
  certificate: Certificate,
  authority: Certificate,
): CertificateFiles {
  const [certFile, keyFile, caFile] = ["cert.pem", "key.pem", "ca.pem"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const put = ({ cert, key }: Certificate): void => {
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key, { mode: 0o600 });
  };
  put(certificate);
  writeFileSync(caFile, authority.cert);
  return {
    certFile,
    keyFile,
    caFile,
    put,
    variables: (listener, needsClientCertificate = false) => ({
      [`${listener}_TLS_CERT_FILE`]: certFile,
      [`${listener}_TLS_KEY_FILE`]: keyFile,
      ...(needsClientCertificate && { [`${listener}_TLS_CLIENT_CA_FILE`]: caFile }),
    }),
  };
}
