// Workers that are killed while they comment on tasks, each of them in a process of its own.
import { type Flow, mergeRequestHook, openFlow } from '../flow/flow.ts'
import type { Process } from '../support/service.ts'

/** A death is found out when a lock has run out, and what was under way waits for its call to be over: that takes a while. */
export const patience = 100_000

export type Scene = Flow & {
  /** How often Phabricator was asked to comment on the task. */
  asked: (task: number) => number
  /** Each task is named by a merge request of its own. */
  openOnEach: (tasks: number[]) => Promise<void>
  kill: (worker: Process) => Promise<void>
}

/** `hangs` tells on which task Phabricator gives no answer. */
export async function play(hangs: (task: number) => boolean, action: (scene: Scene) => Promise<void>): Promise<void> {
  // Long enough that no call is given up before all are under way: that would hold the queue.
  const limits = { CALL_SECONDS: '10', SETTLE_SECONDS: '1' }
  const flow = await openFlow(() => ({ SINKS_ENABLED: 'phabricator', GITLAB_TOKEN: '', ...limits }))
  const { phabricator } = flow.sandbox
  const taskOf = ({ path, body }: { path: string; body: string }) =>
    path.endsWith('maniphest.edit') ? Number(/objectIdentifier\W+T(\d+)/.exec(body)?.[1]) : 0
  phabricator.fault({ kind: 'hang', match: (request) => taskOf(request) > 0 && hangs(taskOf(request)) })
  try {
    await action({
      ...flow,
      asked: (task) => phabricator.requests.filter((request) => taskOf(request) === task).length,
      async openOnEach(tasks) {
        for (const task of tasks)
          await flow.send(mergeRequestHook(flow, { iid: 100 + task, description: `Bug: T${task}` }), `names-${task}`)
      },
      async kill(worker) {
        process.kill(worker.pid(), 'SIGKILL')
        await worker.exit
      },
    })
  } finally {
    await flow.close()
  }
}
