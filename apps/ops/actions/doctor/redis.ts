// Whether Redis is there, new enough, and one that a queue can be trusted to.
import { hostsOf, readRedisUrl } from '#shared/process/redis-address.ts'
import { inspectRedis } from '#shared/queue/redis-check.ts'
import { redisTrouble } from '#shared/queue/redis-trouble.ts'
import { type Finding, ok, warning, wrong } from '#sinks/finding.ts'
import type { OpsContext } from '../../context.ts'

const id = 'redis'
const sharedHost = /^redis\.svc\.(tools|toolsbeta)\./

export async function checkRedis({ redis, prefix, config }: OpsContext): Promise<Finding[]> {
  const host = hostsOf(config.redisUrl)
  if (readRedisUrl(config.redisUrl)?.nodes.some((node) => sharedHost.test(node.host))) {
    const message = `${host} is Toolforge's shared Redis: it throws keys away, forgets, and everybody there can read it`
    return [wrong(id, message, 'run a Redis of your own, and name it in REDIS_URL: docs/toolforge.md')]
  }
  const trouble = await redisTrouble({ redis, prefix, url: config.redisUrl })
  if (trouble) return [wrong(id, trouble.reason, trouble.remedy)]
  const { name, tooOld, dangers, slowSyncs } = await inspectRedis(redis)
  if (tooOld !== undefined) return [wrong(id, tooOld, 'upgrade it')]
  const judge = config.redisUnsafe ? warning : wrong
  const findings = dangers.map((danger) => judge(id, danger, 'change it in the configuration of Redis'))
  if (findings.length === 0) findings.push(ok(id, `${name} at ${host} keeps what it is given`))
  if (slowSyncs > 0) {
    const message = `its disk kept Redis waiting ${slowSyncs} times: while it does, a crash of Redis loses what it took in up to two seconds`
    findings.push(warning('redis-disk', message, 'a faster disk, or `appendfsync always`'))
  }
  return findings
}
