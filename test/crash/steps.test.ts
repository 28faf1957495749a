// A worker is killed at each step of a delivery's way, before and after it. `ALL_STEPS=1` plays all of them; else those
// where most could be lost or doubled.
import { after, before, describe, test } from 'node:test'
import { migrate, openDatabase } from '#shared/journal/database.ts'
import { type Server, startMariaDb, startRedis } from '../support/servers.ts'
import { steps } from './steps.ts'
import { type Servers, type Side, strikeAt } from './strike.ts'

const few = /^(settling deliveries|commenting|ending an effect|writing the note)/
const chosen = process.env.ALL_STEPS ? steps : steps.filter(({ name }) => few.test(name))

let started: Server[]
let servers: Servers
before(async () => {
  const [redis, mariadb] = await Promise.all([startRedis(), startMariaDb()])
  started = [redis, mariadb]
  servers = { redisUrl: redis.url, databaseUrl: mariadb.url }
  const database = openDatabase(mariadb.url)
  await migrate(database)
  await database.destroy()
})
after(() => Promise.all(started.map((server) => server.stop())))

const sides: Side[] = ['before', 'after']
describe('a worker that is killed', { concurrency: 6, timeout: 600_000 }, () => {
  for (const step of chosen)
    for (const side of sides) test(`${side} ${step.name} loses nothing and doubles nothing`, () => strikeAt(step, side, servers))
})
