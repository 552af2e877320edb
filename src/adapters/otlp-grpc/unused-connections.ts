/** How far a connection has come: it has sent nothing, no whole message, or at least one. */
export type Stage = "silent" | "unfinished" | "used";

interface Staged {
  readonly address: string;
  readonly stage: Stage;
}

/**
 * Holds the connections that have not sent a message, in groups by address and stage, and chooses
 * the one that makes room for a new one.
 *
 * The largest group gives up its oldest member. Peers that open many connections thus compete with
 * each other: an exporter has few, and is soon past both stages, so its group is never the largest,
 * neither beside silent connections nor beside ones with a message that never ends.
 *
 * Invariant: no group is empty.
 */
export class UnusedConnections<Connection extends Staged> {
  // Moved by `add` and `remove`.
  private readonly groups = new Map<string, Set<Connection>>();

  add(connection: Connection): void {
    if (connection.stage === "used") return;
    const key = groupKey(connection.stage, connection.address);
    const group = this.groups.get(key) ?? new Set();
    this.groups.set(key, group.add(connection));
  }

  /** Removes a connection from the group of the stage in which it is, or was. */
  remove(connection: Connection, stage: Stage): void {
    const key = groupKey(stage, connection.address);
    const group = this.groups.get(key);
    group?.delete(connection);
    if (group?.size === 0) this.groups.delete(key);
  }

  /** Returns the one to close, of `address` if that is given; undefined if all have been used. */
  choose(address?: string): Connection | undefined {
    const groups = address === undefined ? this.groups.values() : this.groupsOf(address);
    return largest(groups)?.values().next().value;
  }

  private groupsOf(address: string): Set<Connection>[] {
    const stages = ["silent", "unfinished"] as const;
    return stages.flatMap((stage) => this.groups.get(groupKey(stage, address)) ?? []);
  }
}

/** Returns the first of the largest groups. */
function largest<Member>(groups: Iterable<Set<Member>>): Set<Member> | undefined {
  let found: Set<Member> | undefined;
  for (const group of groups) {
    if (group.size > (found?.size ?? 0)) found = group;
  }
  return found;
}

function groupKey(stage: Stage, address: string): string {
  return `${stage} ${address}`;
}
