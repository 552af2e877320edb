import type { Command } from "./command/command-run.ts";
import type { CommandName } from "./usage/command-table.ts";
import { clear } from "./commands/clear.ts";
import { completions } from "./commands/completions.ts";
import { get } from "./commands/get.ts";
import { runBeside } from "./commands/run.ts";
import { send } from "./commands/send.ts";
import { stats } from "./commands/stats.ts";
import { tail } from "./commands/tail.ts";
import { take } from "./commands/take.ts";
import { traces } from "./commands/traces.ts";
import { wait } from "./commands/wait.ts";

export const COMMAND_FUNCTIONS: Readonly<Record<CommandName, Command>> = {
  tail,
  get,
  traces,
  wait,
  take,
  stats,
  clear,
  send,
  run: runBeside,
  completions,
};
