import { expect, test } from "bun:test";
import { tlsHint } from "../../../src/adapters/forward/connection-fault.ts";

test.each([
  ["ERR_TLS_CERT_ALTNAME_INVALID: its certificate is for another host", "host in FORWARD_ENDPOINT"],
  ["Hostname/IP does not match certificate's altnames: IP: 127.0.0.1", "host in FORWARD_ENDPOINT"],
  ["CERT_HAS_EXPIRED: its certificate has expired", "renewed"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE: its certificate is by", "FORWARD_TLS_CA_FILE"],
  ["Last error: Error: self signed certificate in certificate chain.", "FORWARD_TLS_CA_FILE"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT: its certificate is self-signed", "FORWARD_TLS_CA_FILE"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY: its", "FORWARD_TLS_CA_FILE"],
  ["SSL routines:OPENSSL_internal:TLSV1_ALERT_CERTIFICATE_REQUIRED", "FORWARD_TLS_CERT_FILE"],
  ["SSL routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA", "FORWARD_TLS_CERT_FILE"],
  ["EPROTO", "FORWARD_TLS_CERT_FILE"],
])("the hint for %p names %s", (reason, hint) => {
  expect(tlsHint(reason).hint).toContain(hint);
});

test.each(["ECONNREFUSED: nothing is listening there", "TimeoutError: no response in time", ""])(
  "%p gets no hint about TLS",
  (reason) => {
    expect(tlsHint(reason)).toEqual({});
  },
);
