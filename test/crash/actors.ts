// Those who can be killed and frozen in a round: the two servers and the service's processes. Each comes back on its
// port and with its data.
import { onHost } from '../support/hosts.ts'
import type { Server } from '../support/servers.ts'
import type { Environment, LogLine, Process } from '../support/service.ts'
import { startProcess } from '../support/service.ts'

export type Actor = {
  name: string
  start: () => Promise<void>
  /** SIGKILL, and gone. */
  kill: () => Promise<void>
  /** SIGSTOP and SIGCONT; no-ops where it is not there. */
  freeze: () => void
  thaw: () => void
}

/** A server that `start` makes, the first time and after each kill. */
export function serverActor(name: string, start: () => Promise<Server>): Actor {
  let server: Server | undefined
  let pid: number | undefined
  const signal = (which: NodeJS.Signals) => {
    if (pid !== undefined) process.kill(pid, which)
  }
  return {
    name,
    async start() {
      if (server) return
      server = await start()
      pid = await server.pid()
    },
    async kill() {
      const dying = server
      server = undefined
      pid = undefined
      await dying?.stop()
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
  }
}

export type ServiceActor = Actor & {
  lines: () => LogLine[]
  current: () => Process | undefined
  /** SIGTERM, and gone. */
  stop: () => Promise<void>
  /** Whoever is started next is on another host. */
  move: () => void
}

/** A process of the service. `onFall` is told when it ends although nobody killed it. */
export function serviceActor(
  app: 'ingest' | 'worker',
  name: string,
  environment: Environment,
  onFall: (text: string) => void,
): ServiceActor {
  let current: Process | undefined
  let moves = 0
  const lines: LogLine[] = []
  const signal = (which: NodeJS.Signals) => {
    if (current?.lines.some(({ pid }) => pid !== undefined)) process.kill(current.pid(), which)
  }
  return {
    name,
    start() {
      if (current) return Promise.resolve()
      const host = moves === 0 ? { environment: {}, flags: [] } : onHost(`${name}-${moves}`)
      const started = startProcess(app, { ...environment, ...host.environment }, host.flags)
      current = started
      void started.exit.then(() => {
        lines.push(...started.lines)
        if (current !== started) return
        current = undefined
        onFall(`${name} ended by itself: ${started.text().split('\n').slice(-20).join('\n')}`)
      })
      return Promise.resolve()
    },
    async kill() {
      const dying = current
      current = undefined
      await dying?.kill()
    },
    async stop() {
      const leaving = current
      current = undefined
      // It may not have said anything yet.
      await leaving?.stop().catch(() => leaving.kill())
    },
    move: () => void moves++,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    lines: () => [...lines, ...(current?.lines ?? [])],
    current: () => current,
  }
}
