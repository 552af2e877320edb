import { existsSync } from "node:fs";
import { join } from "node:path";

/** What `scripts/setup.sh` makes. */
const OWN_PYTHON = join(import.meta.dir, "../../../.tools/pytest/bin/python");

const PYTHON = existsSync(OWN_PYTHON) ? OWN_PYTHON : "python3";

/** A test runner of another language. */
export interface LanguageTool {
  readonly isPresent: boolean;
  /** Runs the tests in the working directory. */
  readonly command: readonly string[];
}

export const PYTEST: LanguageTool = {
  isPresent: isInstalled(PYTHON, "-m", "pytest", "--version"),
  command: [PYTHON, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"],
};

export const GO_TEST: LanguageTool = {
  isPresent: isInstalled("go", "version"),
  command: ["go", "test", "-count=1", "./..."],
};

function isInstalled(...command: readonly string[]): boolean {
  try {
    return Bun.spawnSync([...command]).success;
  } catch {
    return false;
  }
}
