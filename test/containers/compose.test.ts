// docker-compose.yml says what the service understands, and keeps what must be kept. Where Docker Compose is installed
// it has the last word; no container is started.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { configSchema as ingestSchema } from '../../apps/ingest/config.ts'
import { configSchema as workerSchema } from '../../apps/worker/config.ts'
import { composeText, readCompose, root } from './files.ts'

const { services, volumes } = readCompose()
const known = { ingest: Object.keys(ingestSchema.in.shape), worker: Object.keys(workerSchema.in.shape) }

for (const name of ['ingest', 'worker'] as const) {
  test(`every environment variable of ${name} in docker-compose.yml is one that it knows`, () => {
    const unknown = Object.keys(services[name].environment).filter((variable) => !known[name].includes(variable))
    assert.deepEqual(unknown, [])
  })

  test(`the health check of ${name} asks the port that it listens on`, () => {
    const { environment, healthcheck } = services[name]
    const port = name === 'ingest' ? environment.PORT : environment.OPS_PORT
    assert.match(healthcheck.test.join(' '), new RegExp(`^CMD node -e fetch\\('http://127\\.0\\.0\\.1:${port}/healthz'\\)`))
  })
}

test('the variables that docker-compose.yml asks for are the service’s own and the password of the database', () => {
  const asked = [...composeText().matchAll(/\$\{(\w+)/g)].map(([, variable]) => variable ?? '')
  assert.deepEqual(new Set(asked), new Set(['SOURCE_TOKEN', 'DATABASE_PASSWORD']))
})

test('no secret in docker-compose.yml has a value or a default', () => {
  for (const { environment } of Object.values(services)) {
    for (const [name, value] of Object.entries(environment)) {
      if (/TOKEN|PASSWORD|KEY/.test(name) && name !== 'MARIADB_RANDOM_ROOT_PASSWORD')
        assert.match(value ?? '', /^(\$\{\w+:\?[^}]+\})?$/, name)
    }
  }
  assert.match(services.worker.environment.DATABASE_URL ?? '', /:\$\{DATABASE_PASSWORD:\?[^}]+\}@/)
})

test('Redis writes each delivery to disk before it is acknowledged, and throws nothing away', () => {
  const settings = services.redis.command?.join(' ') ?? ''
  for (const setting of ['--appendonly yes', '--appendfsync always', '--maxmemory-policy noeviction'])
    assert.ok(settings.includes(setting), setting)
  assert.deepEqual(services.redis.volumes, ['redis:/data'])
})

test('what must survive a new container lies in a volume', () => {
  const used = Object.values(services).flatMap((service) => service.volumes.map((volume) => volume.split(':')[0]))
  assert.deepEqual(new Set(used), new Set(Object.keys(volumes)))
  assert.deepEqual(services.mariadb.volumes, ['mariadb:/var/lib/mysql'])
  assert.deepEqual(services.ingest.volumes, ['ingest:/app/data'])
  assert.match(ingestSchema.in.shape.SPOOL_DIR.parse(undefined), /^\.\/data\//)
})

test('only the port of ingest is published', () => {
  const published = Object.entries(services).flatMap(([name, { ports }]) => ports.map((port) => `${name} ${port}`))
  assert.deepEqual(published, ['ingest 8000:8000'])
})

test('ingest starts while Redis is ill, the worker when both its servers are well', () => {
  assert.deepEqual(services.ingest.depends_on, { redis: { condition: 'service_started' } })
  assert.deepEqual(services.worker.depends_on, { redis: { condition: 'service_healthy' }, mariadb: { condition: 'service_healthy' } })
})

test('one image is built, once, for both processes', () => {
  assert.equal(services.ingest.build, '.')
  assert.equal(services.worker.build, undefined)
  assert.equal(services.worker.image, services.ingest.image)
  assert.equal(services.worker.pull_policy, 'never')
})

const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0

test('Docker Compose accepts docker-compose.yml', { skip: !hasCompose && 'Docker Compose is not installed here' }, () => {
  const env = { ...process.env, SOURCE_TOKEN: 'a', DATABASE_PASSWORD: 'b' }
  execFileSync('docker', ['compose', '--project-directory', root, 'config', '--quiet'], { env })
})
