const NOBODY = 65_534;

/** Runs `work` without the privileges of the superuser, who may read everything. */
export async function asNobody<Result>(work: () => Promise<Result>): Promise<Result> {
  const user = process.geteuid!();
  if (user !== 0) return await work();
  process.seteuid!(NOBODY);
  try {
    return await work();
  } finally {
    process.seteuid!(user);
  }
}
