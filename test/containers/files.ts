// docker-compose.yml and Dockerfile as the tests read them. The Dockerfile is held to a strict form, so that a slip of the
// pen is an error here already and not first on the machine that builds it.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'

export const root = new URL('../../', import.meta.url).pathname

const variables = z.record(z.string(), z.string().nullable())

const serviceSchema = z.looseObject({
  image: z.string(),
  build: z.string().optional(),
  pull_policy: z.string().optional(),
  restart: z.string(),
  user: z.string().optional(),
  read_only: z.boolean().default(false),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  deploy: z.object({ resources: z.object({ limits: z.object({ cpus: z.string(), memory: z.string() }) }) }),
  command: z.array(z.string()).optional(),
  environment: variables.default({}),
  secrets: z.array(z.string()).default([]),
  networks: z.array(z.string()),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
})

const names = ['redis', 'mariadb', 'migrations', 'ingest', 'worker'] as const

const composeSchema = z.looseObject({
  services: z.record(z.enum(names), serviceSchema),
  networks: z.record(z.string(), z.object({ internal: z.boolean() }).nullable()),
  volumes: z.record(z.string(), z.null()),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
})

export type Service = z.output<typeof serviceSchema>
export type Compose = z.output<typeof composeSchema>

export function composeText(): string {
  return readFileSync(`${root}docker-compose.yml`, 'utf8')
}

/** The file as any reader of YAML sees it, its anchors resolved. */
export function plainCompose(): unknown {
  return parse(composeText(), { merge: true })
}

export function readCompose(): Compose {
  return composeSchema.parse(plainCompose())
}

/** One stage of the Dockerfile: its instructions after `FROM`, in order. */
export type Stage = { image: string; name: string | undefined; instructions: Array<{ word: string; rest: string }> }

export function readDockerfile(): Stage[] {
  const stages: Stage[] = []
  for (const line of readFileSync(`${root}Dockerfile`, 'utf8').split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, word, rest] = /^([A-Z]+) (.*[^\\])$/.exec(line) ?? []
    if (word === undefined || rest === undefined) throw new SyntaxError(`The Dockerfile has a line that this does not understand: ${line}`)
    const [, image = '', name] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? []
    if (word === 'FROM') stages.push({ image, name, instructions: [] })
    else stages.at(-1)?.instructions.push({ word, rest })
  }
  return stages
}

/** The words of a CMD instruction, which is a JSON array. */
export function readCommand(rest: string): string[] {
  return z.array(z.string()).parse(JSON.parse(rest))
}

/** What a COPY instruction copies: from another stage, or from the files that .dockerignore lets through. */
export function readCopy(rest: string): { from: string | undefined; sources: string[]; target: string } {
  const words = rest.split(' ')
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined
  return { from, sources: words.slice(0, -1), target: words.at(-1) ?? '' }
}
