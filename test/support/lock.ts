// Completes package-lock.json. npm writes a lock without the optional packages that carry binaries for other
// platforms when it cannot see them, and `npm ci` then refuses the lock. Their names tell their platform, and the registry
// tells their integrity, without which npm would take whatever it is given.
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'

const packageSchema = z.looseObject({
  version: z.string().optional(),
  integrity: z.string().startsWith('sha512-').optional(),
  dev: z.boolean().optional(),
  optionalDependencies: z.record(z.string(), z.string()).optional(),
})
const lockSchema = z.looseObject({ packages: z.record(z.string(), packageSchema) })
export type Lock = z.infer<typeof lockSchema>

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64']

export function readLock(path: string): Lock {
  return lockSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
}

export function missingFrom(lock: Lock): Array<{ name: string; version: string; dev: boolean }> {
  return Object.values(lock.packages).flatMap((parent) =>
    Object.entries(parent.optionalDependencies ?? {})
      .filter(([name]) => !lock.packages[`node_modules/${name}`])
      .map(([name, version]) => ({ name, version, dev: parent.dev === true })),
  )
}

export function complete(lock: Lock): Lock {
  const packages = { ...lock.packages }
  for (const { name, version, dev } of missingFrom(lock)) {
    const words = name.split(/[/-]/)
    const os = systems.filter((system) => words.includes(system))
    const cpu = processors.filter((processor) => words.includes(processor))
    packages[`node_modules/${name}`] = {
      version,
      ...(cpu.length > 0 && { cpu }),
      ...(dev && { dev }),
      optional: true,
      ...(os.length > 0 && { os }),
    }
  }
  return { ...lock, packages: Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1))) }
}

/** The entries of packages whose contents the lock does not know, as `node_modules/<name>`. */
export function unknownIn(lock: Lock): string[] {
  return Object.keys(lock.packages).filter((path) => path !== '' && lock.packages[path]?.integrity === undefined)
}

async function learn(lock: Lock): Promise<Lock> {
  const packages = { ...lock.packages }
  for (const path of unknownIn(lock)) {
    const { version, ...more } = packages[path] ?? {}
    const name = `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version}`
    const { stdout } = await promisify(execFile)('npm', ['view', '--json', name, 'dist.integrity'])
    packages[path] = { version, integrity: z.string().parse(JSON.parse(stdout)), ...more }
  }
  return { ...lock, packages }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const path = 'package-lock.json'
  const completed = await learn(complete(readLock(path)))
  writeFileSync(path, `${JSON.stringify(completed, null, 2)}\n`)
}
