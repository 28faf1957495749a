// A registry of npm packages on loopback, which has what a test puts into it, and nothing else.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { freePort } from '../support/ports.ts'

export type Registry = { url: string; close: () => Promise<void>; put: (name: string, version: string, script: string) => string }

/** `put` adds a package whose only file is the program bin/node, a shell script, and returns its integrity. */
export async function openRegistry(directory: string): Promise<Registry> {
  const packages = new Map<string, Record<string, object>>()
  const port = await freePort()
  const server = createServer((request, response) => {
    const [, name = '', version] = request.url?.split('/') ?? []
    const versions = packages.get(decodeURIComponent(name))
    if (!versions) return response.writeHead(404).end('{}')
    if (version !== undefined) return response.end(readFileSync(join(directory, name, version)))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ name, 'dist-tags': { latest: Object.keys(versions).at(-1) }, versions }))
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    async close() {
      server.close().closeAllConnections()
      if (server.listening) await once(server, 'close')
    },
    put(name, version, script) {
      const manifest = { name, version, bin: { node: 'bin/node' } }
      const inside = join(directory, name, 'package')
      mkdirSync(join(inside, 'bin'), { recursive: true })
      writeFileSync(join(inside, 'package.json'), JSON.stringify(manifest))
      writeFileSync(join(inside, 'bin/node'), `#!/bin/sh\n${script}\n`)
      chmodSync(join(inside, 'bin/node'), 0o755)
      const archive = join(directory, name, version)
      execFileSync('tar', ['-czf', archive, '-C', join(directory, name), 'package'])
      const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
      const dist = { tarball: `${url}/${name}/${version}`, integrity }
      packages.set(name, { ...packages.get(name), [version]: { ...manifest, dist } })
      return integrity
    },
  }
}
