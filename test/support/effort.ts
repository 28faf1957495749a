// How much work something is. Unlike the time it takes, that does not depend on what else this machine is doing.

/** The processor time that `work` takes, in ms. */
export function effortOf(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
