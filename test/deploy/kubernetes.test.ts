// deploy/kubernetes.yml is what the published schemas allow, and says what the service understands.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { variableNames } from '#sinks/config.ts'
import { configSchema as ingestSchema } from '../../apps/ingest/config.ts'
import { readCommand, readCompose, readDockerfile } from '../containers/files.ts'
import { type DeploymentObject, deployments, mistakesIn, policies, readManifests } from './manifests.ts'

const manifests = readManifests()
const [ingest, worker] = deployments()
const known = { ingest: Object.keys(ingestSchema.in.shape), worker: variableNames }
const instructions = readDockerfile().flatMap((stage) => stage.instructions)
const commandOfImage = instructions.find(({ word }) => word === 'CMD')
const commands = { ingest: readCommand(commandOfImage?.rest ?? ''), worker: readCompose().services.worker.command }
const parts = [
  ['ingest', ingest],
  ['worker', worker],
] as const

const podOf = (deployment: DeploymentObject | undefined) => {
  const pod = deployment?.spec.template.spec
  assert.ok(pod)
  return { pod, container: pod.containers[0] }
}

test('every object has the form of its kind, and no name that Kubernetes does not know', () => {
  for (const manifest of manifests) assert.deepEqual(mistakesIn(manifest), [], manifest.kind)
})

test('a misspelt name, a missing one and a value of the wrong type would be found', () => {
  const [deployment] = manifests
  assert.ok(deployment)
  const wrong = (spec: object) => mistakesIn({ ...deployment, spec: { ...Object(deployment.spec), ...spec } })
  assert.deepEqual(wrong({ minReadySecond: 5 }), ['/spec/minReadySecond'])
  assert.match(wrong({ replicas: 'two' }).join(), /replicas must be integer/)
  assert.match(wrong({ template: undefined }).join(), /required property template/)
})

for (const [name, deployment] of parts) {
  test(`${name} runs twice, by the command of the image or docker-compose.yml, with variables that it knows and secrets that only it gets`, () => {
    const { pod, container } = podOf(deployment)
    assert.equal(deployment?.spec.replicas, 2)
    assert.deepEqual(container.command, commands[name])
    assert.ok(existsSync(new URL(`../../${container.command.at(-1)}`, import.meta.url)))
    const unknown = container.env.filter((variable) => !known[name].includes(variable.name.replace(/_FILE$/, '')))
    assert.deepEqual(unknown, [])

    const mount = container.volumeMounts.find((volume) => volume.name === 'secrets')?.mountPath
    const given = pod.volumes.flatMap(({ secret }) => secret?.items ?? []).map(({ path }) => `${mount}/${path}`)
    const asked = container.env.flatMap((variable) => (variable.name.endsWith('_FILE') ? [variable.value] : []))
    assert.deepEqual(new Set(asked), new Set(given))
  })

  test(`the probes of ${name} ask the port that it listens on, and only a dead process is restarted`, () => {
    const { container } = podOf(deployment)
    const [port] = container.ports
    const defaults = name === 'ingest' ? '8000' : container.env.find((variable) => variable.name === 'OPS_PORT')?.value
    assert.equal(String(port.containerPort), defaults)
    for (const probe of [container.startupProbe, container.livenessProbe])
      assert.deepEqual(probe.httpGet, { path: '/healthz', port: port.name })
    assert.deepEqual(container.readinessProbe.httpGet, { path: '/readyz', port: port.name })
  })

  test(`${name} has the time that it needs to stop`, () => {
    assert.ok(podOf(deployment).pod.terminationGracePeriodSeconds >= 5 + 8 + 2)
  })
}

test('the Service is about the pods of ingest, and one pod of each stays when a node is drained', () => {
  const selectorsOf = (wanted: string) => manifests.filter(({ kind }) => kind === wanted).map(({ spec }) => Object(spec).selector)
  assert.deepEqual(selectorsOf('Service'), [ingest?.spec.template.metadata.labels])
  assert.deepEqual(
    selectorsOf('PodDisruptionBudget'),
    parts.map(([, deployment]) => deployment?.spec.selector),
  )
  for (const [, deployment] of parts) assert.deepEqual(deployment?.spec.selector.matchLabels, deployment?.spec.template.metadata.labels)
})

test('each pod takes connections on its own port only, the worker from who watches it, and reaches what it needs', () => {
  for (const [name, deployment] of parts) {
    const labels = deployment?.spec.template.metadata.labels
    const [policy, ...others] = policies().filter(({ podSelector }) => isDeepStrictEqual(podSelector.matchLabels, labels))
    assert.ok(policy && others.length === 0, `${name} has one`)
    assert.deepEqual(policy.policyTypes, ['Ingress', 'Egress'])
    const { containerPort } = podOf(deployment).container.ports[0]
    assert.deepEqual(
      policy.ingress.flatMap(({ ports }) => ports),
      [{ protocol: 'TCP', port: containerPort }],
    )
    const from = policy.ingress.flatMap(({ from: namespaces }) => namespaces?.map(({ namespaceSelector }) => namespaceSelector.matchLabels))
    assert.deepEqual(from, name === 'ingest' ? [undefined] : [{ 'kubernetes.io/metadata.name': 'monitoring' }])
    const reached = new Set(policy.egress.flatMap(({ ports }) => ports.map(({ protocol, port }) => `${protocol} ${port}`)))
    const own = ['UDP 53', 'TCP 53', 'TCP 6379', 'TCP 3306']
    assert.deepEqual(reached, new Set(name === 'ingest' ? own : [...own, 'TCP 443']))
  }
})

test('the spool lies in a volume that outlives its pod', () => {
  const { container } = podOf(ingest)
  const mount = container.volumeMounts.find((volume) => volume.name === 'spool')
  assert.ok(container.env.find((variable) => variable.name === 'SPOOL_DIR')?.value.startsWith(`${mount?.mountPath}/`))
  assert.ok(manifests.some(({ kind }) => kind === 'PersistentVolumeClaim'))
})
