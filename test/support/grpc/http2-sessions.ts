import { afterEach } from "bun:test";
import type { ClientHttp2Session } from "node:http2";

/** Returns a list of sessions. Those that a test adds are destroyed after it. */
export function sessionsOfEachTest(): ClientHttp2Session[] {
  const sessions: ClientHttp2Session[] = [];
  afterEach(() => {
    for (const session of sessions.splice(0)) session.destroy();
  });
  return sessions;
}
