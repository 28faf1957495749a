// Processes that think they are on a host of another name: so two of them on one machine are to each other what containers
// are.
import type { Environment } from './service.ts'

const module = new URL('host-name.ts', import.meta.url).href

/** What a process must be started with so that its host is called `name`. */
export function onHost(name: string): { environment: Environment; flags: string[] } {
  return { environment: { TEST_HOST_NAME: name }, flags: ['--import', module] }
}
