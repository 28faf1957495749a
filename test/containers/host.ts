// The service as docker-compose.yml starts it: its commands in the file tree of the image, with its environment and its
// secrets in files. What differs is told here: addresses of other containers, ports, and where the volumes are.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Leashed, letGo, onLeash } from '../support/leashed.ts'
import { freePort } from '../support/ports.ts'
import { sourceToken } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { readCompose } from './files.ts'
import { buildTree, type Tree } from './image.ts'

export const { services } = readCompose()
type Name = 'migrations' | 'ingest' | 'worker'

export type Host = {
  tree: Tree
  stage: Stage
  ports: { ingest: number; worker: number }
  environmentOf: (service: Name) => Record<string, string>
  commandOf: (service: Name) => string[]
  start: (service: 'ingest' | 'worker') => { child: Leashed; text: () => string }
  close: () => Promise<void>
}

/** A host on which the image is built, the volumes are there, and the secrets are in their files. */
export async function openHost(): Promise<Host> {
  const [tree, stage, secrets] = await Promise.all([buildTree(), openStage(), mkdtemp(join(tmpdir(), 'gitlab-webhooks-secrets-'))])
  const ports = { ingest: await freePort(), worker: await freePort() }
  await mkdir(join(tree.workdir, 'data'))
  const { sandbox, databaseUrl } = stage
  const contents = {
    source_token: sourceToken,
    phabricator_token: sandbox.phabricator.token,
    gitlab_token: sandbox.gitlab.token,
    ops_token: 'a-token-for-operators',
    database_url: databaseUrl,
  }
  for (const [name, content] of Object.entries(contents)) await writeFile(join(secrets, name), `${content}\n`)
  const passedOn: Record<string, string> = {
    PHABRICATOR_URL: sandbox.phabricator.url,
    GITLAB_URL: sandbox.gitlab.url,
    REVIEWERS_API_URL: sandbox.wiki.apiUrl,
    REDIS_PREFIX: 'compose',
    LOG_EVENTS_TO: join(tree.workdir, 'data/events.log'),
  }
  const seenFromHere = (value: string) =>
    value
      .replace('/run/secrets', secrets)
      .replace('/app', tree.workdir)
      .replace('redis://redis:6379', stage.redisUrl)
      .replace(/^8000$/, String(ports.ingest))
      .replace(/^8001$/, String(ports.worker))
  const commandOf = (service: Name) => services[service].command ?? tree.command

  function environmentOf(service: Name): Record<string, string> {
    const own = Object.entries(services[service].environment).flatMap(([name, given]) => {
      const value = given === null ? passedOn[name] : seenFromHere(given)
      return value === undefined ? [] : [[name, value] as const]
    })
    return { PATH: process.env.PATH ?? '', ...tree.environment, ...Object.fromEntries(own) }
  }

  return {
    tree,
    stage,
    ports,
    environmentOf,
    commandOf,
    start(service) {
      const [command = '', ...args] = commandOf(service)
      const inTree = args.map((word) => (word.startsWith('apps/') ? join(tree.workdir, word) : word))
      const child = onLeash(command, inTree, { env: environmentOf(service) })
      stage.defer(() => letGo(child))
      let text = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (text += bytes.toString()))
      return { child, text: () => text }
    },
    async close() {
      await stage.close()
      for (const directory of [secrets, tree.directory]) await rm(directory, { recursive: true, force: true })
    },
  }
}
