import { VARIABLE_NAMES, VARIABLES } from "../../src/config/variables.ts";

const INTRODUCTION = `# Environment of spanring.service: systemctl restart spanring after a change.
# Each line shows the value that applies without it. Check a change with: spanring --check
#
# Files of tokens and keys must be readable by the group spanring: chgrp spanring FILE`;

/** The values that differ from the defaults, because the unit sets them. */
const SET_BY_UNIT: Readonly<Record<string, string>> = { DATA_DIR: "/var/lib/spanring/data" };

/** Returns the environment file of the unit: every variable, commented out. */
export function environmentFile(): string {
  const variables = VARIABLE_NAMES.map((name) => {
    const { help, bound, unset } = VARIABLES[name];
    const lines = Bun.wrapAnsi(`${help} (${bound})`, 98).split("\n");
    const comment = lines.map((line) => `# ${line}\n`).join("");
    return `${comment}#${name}=${SET_BY_UNIT[name] ?? unset}\n`;
  });
  return `${INTRODUCTION}\n\n${variables.join("\n")}`;
}
