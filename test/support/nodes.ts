// `bin/test --nodes`: the tests of the feed, of ingest and of the Procfile's flags on other Node.js than the one in bin/node:
// on the oldest that is supported, and on the newest that the registry has, of that line and of all. Only what fails on the
// oldest is a failure; what fails on a newer one is told, loudly: so that it is known before that one is ours.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { delimiter, dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'

type Package = { name: string; version: string }
type Candidate = Package & { title: string; lock?: string }

const run = promisify(execFile)
const platform = `${process.platform}-${process.arch}`
const files = process.argv.length > 2 ? process.argv.slice(2) : ['test/feed', 'test/ingest', 'test/deploy/procfile.test.ts']
const manifestSchema = z.looseObject({ optionalDependencies: z.record(z.string(), z.string()) })
const versionsSchema = z.array(z.string()).or(z.string().transform((version) => [version]))

const candidates = [
  ...packageIn('bin/node', 'the one in bin/node').filter(({ version }) => version !== process.versions.node),
  ...packageIn('bin/node/oldest', 'the oldest that is supported'),
  ...(await newerThan(packageIn('bin/node', ''))),
]
await forgetAllBut(candidates.map(({ version }) => version))

const failed: Candidate[] = []
for (const candidate of candidates) if (!(await passes(candidate))) failed.push(candidate)
for (const { version, title, lock } of failed) {
  const meaning = lock === undefined ? 'It is not the one in bin/node, so this is no failure yet.' : 'This is a failure.'
  shout(`The tests FAIL on Node.js ${version}, ${title}. ${meaning}`)
}
process.exit(failed.some(({ lock }) => lock !== undefined) ? 1 : 0)

function packageIn(lock: string, title: string): Candidate[] {
  const { optionalDependencies } = manifestSchema.parse(JSON.parse(readFileSync(`${lock}/package.json`, 'utf8')))
  const all = Object.entries(optionalDependencies).map(([name, version]) => ({ name, version, title, lock }))
  return all.filter(({ name }) => name.endsWith(`-${platform}`))
}

// The newest of the same line, and the newest of all, if there is any.
async function newerThan([ours]: Package[]): Promise<Candidate[]> {
  if (!ours) return []
  const { name, version } = ours
  const line = `${version.split('.')[0]}.`
  try {
    const { stdout } = await run('npm', ['view', '--json', '--fetch-retry-mintimeout=1000', `${name}@>=${version}`, 'version'])
    const compare = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true })
    const versions = versionsSchema.parse(JSON.parse(stdout)).toSorted(compare)
    const newest = [
      { version: versions.findLast((it) => it.startsWith(line)), title: `the newest ${line}x` },
      { version: versions.findLast((it) => !it.startsWith(line)), title: 'the newest of all' },
    ]
    return newest.flatMap((it) => (it.version === undefined || it.version === version ? [] : [{ ...it, name, version: it.version }]))
  } catch (error) {
    shout(`The registry cannot be asked for the newest Node.js, so nothing is known of it. ${reasonOf(error)}`)
    return []
  }
}

async function passes(candidate: Candidate): Promise<boolean> {
  const node = await fetched(candidate)
  if (node === undefined) {
    shout(`Node.js ${candidate.version}, ${candidate.title}, could not be fetched, or is not what its lock file says: not tested.`)
    return true
  }
  console.log(`\n${files.join(' ')} on Node.js ${candidate.version}, ${candidate.title}:`)
  const env = { ...process.env, PATH: [dirname(node), process.env.PATH].join(delimiter) }
  const [code] = await once(spawn(node, ['test/support/run.ts', ...files], { stdio: 'inherit', env }), 'exit')
  return code === 0
}

// Where its binary is, in .node/<version>; to the lock in bin/node, if there is one.
async function fetched({ name, version, lock }: Candidate): Promise<string | undefined> {
  const directory = resolve('.node', version)
  const node = `${directory}/node_modules/${name}/bin/node`
  if (existsSync(node)) return node
  await mkdir(directory, { recursive: true })
  if (lock === undefined) await writeFile(`${directory}/package.json`, '{ "private": true }')
  else for (const file of ['package.json', 'package-lock.json']) await cp(`${lock}/${file}`, `${directory}/${file}`)
  const args = lock === undefined ? ['install', '--no-save', '--no-package-lock', `${name}@${version}`] : ['ci']
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', [...args, ...options], { cwd: directory }).catch((error: unknown) => console.log(reasonOf(error)))
  return existsSync(node) ? node : undefined
}

async function forgetAllBut(versions: string[]): Promise<void> {
  const names = (await readdir('.node')).filter((name) => /^\d+\./.test(name) && !versions.includes(name))
  for (const name of names) await rm(`.node/${name}`, { recursive: true })
}

// What npm says first: the rest is advice.
function reasonOf(error: unknown): string {
  const [first = '', ...more] = (error instanceof Error ? error.message : String(error)).split('\n')
  return more.slice(0, 3).join(' ') || first
}

function shout(text: string): void {
  const line = '*'.repeat(100)
  console.log(`\n${line}\n${text}\n${line}`)
}
