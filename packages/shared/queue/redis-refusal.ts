// What Redis answers when it is reachable but refuses to do what it is asked. For us that is as bad as a Redis that is away.

const words = ['LOADING', 'OOM', 'MISCONF', 'READONLY', 'NOREPLICAS', 'MASTERDOWN', 'CLUSTERDOWN', 'TRYAGAIN', 'BUSY'] as const
export type RedisRefusal = (typeof words)[number]

// Before 7.0 the answer to a command of a script stands behind words of the script's own:
// `ERR Error running script (call to f_…): @user_script:1: @user_script: 1: -OOM command not allowed …`.
const pattern = new RegExp(String.raw`^(?:ERR Error running script \(call to \w+\): (?:@\w+: ?\d+: )+-)?(${words.join('|')})\b`)

/** The first word of what Redis answered, loading, full, read-only, cut off or busy; undefined for any other error. */
export function refusalOf(error: unknown): RedisRefusal | undefined {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return undefined
  const word = pattern.exec(error.message)?.[1]
  return words.find((one) => one === word) ?? firstOf(error)
}

// A transaction is discarded (`EXECABORT`) for what was answered to one of its commands.
function firstOf(discarded: Error): RedisRefusal | undefined {
  if (!('previousErrors' in discarded) || !Array.isArray(discarded.previousErrors)) return undefined
  return discarded.previousErrors.map(refusalOf).find((word) => word !== undefined)
}

const burstMs = 200
const restMs = 1000

/**
 * Tells ioredis whether to connect anew. A server that refuses writes is no primary any more, and its address may lead to
 * another server by now. All connections may do so within a moment, and then none for a second.
 */
export function reconnectWhenDemoted(): (error: Error) => 1 | false {
  let began = Number.NEGATIVE_INFINITY
  return function needsReconnect(error) {
    if (refusalOf(error) !== 'READONLY') return false
    const passed = performance.now() - began
    if (passed > restMs) began = performance.now()
    return passed > restMs || passed < burstMs ? 1 : false
  }
}
