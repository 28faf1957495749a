// Runs the test suite with one private MariaDB for all its files; each file makes a database of its own in it, and starts
// a Redis of its own. With DATABASE_URL or REDIS_URL set, those servers are used instead.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { databaseVersion, redisVersion, startMariaDb } from './servers.ts'

// Node's test runner takes files and patterns, but no directories.
const given = process.argv.slice(2).map((argument) => (isDirectory(argument) ? join(argument, '**/*.test.ts') : argument))
const files = given.some((argument) => !argument.startsWith('-')) ? [] : ['test/**/*.test.ts']
const { DATABASE_URL: givenDatabase, REDIS_URL: givenRedis } = process.env
const server = givenDatabase ? undefined : await startMariaDb()
const databaseUrl = givenDatabase || (server?.url ?? '')
const unknown = () => 'one that does not answer'
const [database, redis] = await Promise.all([
  databaseVersion(databaseUrl).catch(unknown),
  redisVersion(givenRedis || undefined).catch(unknown),
])
console.log(`on ${database}${server ? ', our own' : ''}, and ${redis}${givenRedis ? '' : ', our own'}`)

// Hundreds of processes are started: each in half the time.
process.env.NODE_COMPILE_CACHE ??= new URL('../../.node/compiled', import.meta.url).pathname

// Files wait more than they work: for locks to run out, for what hangs to be given up. So there are more than processors.
const atOnce = Math.min(5 * availableParallelism(), 20)
const end = new URL('end.ts', import.meta.url).href
const options = ['--test', `--test-concurrency=${atOnce}`, '--test-timeout=240000', `--import=${end}`]
const runner = spawn(process.execPath, [...options, ...given, ...files], {
  stdio: 'inherit',
  env: { ...process.env, DATABASE_URL: databaseUrl },
})
// The terminal tells the runner as well; we stay until it has ended.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal))

const [code] = await once(runner, 'exit')
await server?.stop()
process.exit(typeof code === 'number' ? code : 1)

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
