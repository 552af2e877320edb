import { expect, test } from "bun:test";
import { type Environment, readConfig } from "../../src/config/config.ts";

const PLAIN = { FORWARD_ENDPOINT: "kafka://up/spans" };
const SECURE = { FORWARD_ENDPOINT: "kafkas://up/spans" };
const LOGIN = { FORWARD_SASL_USERNAME_FILE: "/user", FORWARD_SASL_PASSWORD_FILE: "/password" };

function mistakesIn(env: Environment): string[] {
  const reading = readConfig(env);
  const mistakes = reading.ok ? [] : reading.mistakes;
  return mistakes.map(({ variable, value, bound }) => `${variable}="${value}": must be ${bound}`);
}

function warningsOf(env: Environment): string[] {
  return readConfig(env).warnings.map(({ variable, message }) => `${variable}: ${message}`);
}

test.each<{ name: string; env: Environment; mistakes: string[] }>([
  {
    name: "credentials for gRPC",
    env: { FORWARD_ENDPOINT: "grpc://up", FORWARD_SASL_TOKEN_FILE: "/token" },
    mistakes: ['FORWARD_SASL_TOKEN_FILE="/token": must be unset for an endpoint of grpc'],
  },
  {
    name: "credentials without a mechanism",
    env: { ...SECURE, FORWARD_SASL_USERNAME_FILE: "/user" },
    mistakes: [
      'FORWARD_SASL_USERNAME_FILE="/user": must be unset, because FORWARD_SASL_MECHANISM is unset',
    ],
  },
  {
    name: "SCRAM without a password",
    env: {
      ...SECURE,
      FORWARD_SASL_MECHANISM: "SCRAM-SHA-256",
      FORWARD_SASL_USERNAME_FILE: "/user",
    },
    mistakes: [
      'FORWARD_SASL_PASSWORD_FILE="": must be set, because FORWARD_SASL_MECHANISM is SCRAM-SHA-256',
    ],
  },
  {
    name: "a password for a token",
    env: { ...SECURE, ...LOGIN, FORWARD_SASL_MECHANISM: "OAUTHBEARER" },
    mistakes: [
      'FORWARD_SASL_TOKEN_FILE="": must be set, because FORWARD_SASL_MECHANISM is OAUTHBEARER',
      'FORWARD_SASL_USERNAME_FILE="/user": must be unset, because FORWARD_SASL_MECHANISM is ' +
        "OAUTHBEARER",
      'FORWARD_SASL_PASSWORD_FILE="/password": must be unset, because FORWARD_SASL_MECHANISM is ' +
        "OAUTHBEARER",
    ],
  },
  {
    name: "an unknown mechanism",
    env: { ...SECURE, FORWARD_SASL_MECHANISM: "GSSAPI" },
    mistakes: [
      'FORWARD_SASL_MECHANISM="GSSAPI": must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, ' +
        "OAUTHBEARER",
    ],
  },
])("$name is a mistake", ({ env, mistakes }) => {
  expect(mistakesIn(env)).toEqual(mistakes);
});

test.each<{ name: string; env: Environment }>([
  { name: "no authentication", env: PLAIN },
  { name: "PLAIN over TLS", env: { ...SECURE, ...LOGIN, FORWARD_SASL_MECHANISM: "plain" } },
  { name: "SCRAM", env: { ...PLAIN, ...LOGIN, FORWARD_SASL_MECHANISM: "SCRAM-SHA-512" } },
  {
    name: "a token over TLS",
    env: { ...SECURE, FORWARD_SASL_MECHANISM: "OAUTHBEARER", FORWARD_SASL_TOKEN_FILE: "/t" },
  },
])("$name is neither a mistake nor worth a warning", ({ env }) => {
  expect([...mistakesIn(env), ...warningsOf(env).filter((line) => line.includes("SASL"))]).toEqual(
    [],
  );
});

test("a warning says that a password crosses the network as it is", () => {
  expect(warningsOf({ ...PLAIN, ...LOGIN, FORWARD_SASL_MECHANISM: "PLAIN" })).toContain(
    "FORWARD_SASL_MECHANISM: PLAIN sends the credentials without encryption: use kafkas://, " +
      "or SCRAM",
  );
});

test("a warning says that credentials have no effect without an endpoint", () => {
  expect(warningsOf({ FORWARD_SASL_TOKEN_FILE: "/t" })).toContain(
    "FORWARD_SASL_TOKEN_FILE: has no effect, because FORWARD_ENDPOINT is not set",
  );
});
