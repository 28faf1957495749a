// docker-compose.yml and Dockerfile as the tests read them. Both are held to a strict form, so that a slip of the pen is
// an error here already and not first on the machine that runs them.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { readYaml } from './yaml.ts'

export const root = new URL('../../', import.meta.url).pathname

const serviceSchema = z.strictObject({
  image: z.string(),
  build: z.string().optional(),
  pull_policy: z.literal('never').optional(),
  restart: z.literal('unless-stopped'),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string().nullable()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.enum(['service_started', 'service_healthy']) })).default({}),
  healthcheck: z.strictObject({
    test: z.tuple([z.literal('CMD')], z.string()),
    interval: z.string(),
    timeout: z.string(),
    retries: z.number(),
    start_period: z.string().optional(),
  }),
})

const composeSchema = z.strictObject({
  name: z.string(),
  services: z.strictObject({ redis: serviceSchema, mariadb: serviceSchema, ingest: serviceSchema, worker: serviceSchema }),
  volumes: z.record(z.string(), z.null()),
})

export type Service = z.output<typeof serviceSchema>
export type Compose = z.output<typeof composeSchema>

export function composeText(): string {
  return readFileSync(`${root}docker-compose.yml`, 'utf8')
}

export function readCompose(): Compose {
  return composeSchema.parse(readYaml(composeText()))
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

/** What a COPY instruction copies: from another stage, or from the files that .dockerignore lets through. */
export function readCopy(rest: string): { from: string | undefined; sources: string[]; target: string } {
  const words = rest.split(' ')
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined
  return { from, sources: words.slice(0, -1), target: words.at(-1) ?? '' }
}
