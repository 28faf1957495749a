// A directory that looks like a checkout of the project, in which the blocks of a document are run: what they write stays
// in it. Their variables are those of a running service.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { symlinkSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { bareEnvironment } from '../support/bare.ts'
import type { Environment } from '../support/service.ts'
import { type Block, root } from './documents.ts'

export type Workspace = {
  directory: string
  /** Runs a block by a shell that stops at the first command that fails; what it printed, or throws with that. */
  run: (block: Block, environment: Environment) => Promise<string>
  close: () => Promise<void>
}

export async function openWorkspace(databaseUrl: string): Promise<Workspace> {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-docs-'))
  for (const name of await readdir(root)) if (name !== 'secrets') symlinkSync(join(root, name), join(directory, name))
  const { hostname, port, username, password } = new URL(databaseUrl)
  const lines = ['[client]', `host=${hostname}`, `port=${port}`, `user=${username}`, `password=${password}`, 'protocol=tcp', '']
  await writeFile(join(directory, 'database.cnf'), lines.join('\n'))
  return {
    directory,
    async run(block, environment) {
      const database = new URL(databaseUrl).pathname.slice(1)
      const env = bareEnvironment({ HOME: directory, DATABASE: database, ...environment })
      const child = spawn('sh', ['-eu', '-c', block.text], { cwd: directory, env, stdio: ['ignore', 'pipe', 'pipe'] })
      const [[code], out, err] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)])
      if (code !== 0) throw new Error(`${block.document}:${block.line} exits ${String(code)}:\n${block.text}${out}${err}`)
      return out + err
    },
    close: () => rm(directory, { recursive: true, force: true }),
  }
}

/** The programs out of `needed` that a block uses and this machine does not have. */
export function missingFor({ text: commands }: Block, has: (program: string) => boolean): string[] {
  const needed = ['openssl', 'curl', 'mariadb', 'mariadb-dump']
  return needed.filter((program) => new RegExp(`(^|[ (;&|])${program} `, 'm').test(commands) && !has(program))
}
