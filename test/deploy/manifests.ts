// deploy/kubernetes.yml as the tests read it, and the published schemas of its kinds of objects.
import { readFileSync } from 'node:fs'
import { Deployment } from 'kubernetes-models/apps/v1'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { PersistentVolumeClaim, Service } from 'kubernetes-models/v1'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'

const models = { Deployment, NetworkPolicy, PodDisruptionBudget, PersistentVolumeClaim, Service }

const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) })
const file = z.object({ key: z.string(), path: z.string() })
const podSchema = z.object({
  terminationGracePeriodSeconds: z.number(),
  securityContext: z.object({ runAsNonRoot: z.literal(true), runAsUser: z.number() }),
  containers: z.tuple([
    z.object({
      command: z.array(z.string()),
      env: z.array(z.object({ name: z.string(), value: z.string() })),
      ports: z.tuple([z.object({ name: z.string(), containerPort: z.number() })]),
      startupProbe: probe,
      livenessProbe: probe,
      readinessProbe: probe,
      securityContext: z.object({ readOnlyRootFilesystem: z.literal(true), allowPrivilegeEscalation: z.literal(false) }),
      volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
    }),
  ]),
  volumes: z.array(z.object({ name: z.string(), secret: z.object({ items: z.array(file) }).optional() })),
})
const labels = z.record(z.string(), z.string())
const deploymentSchema = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    replicas: z.number(),
    selector: z.object({ matchLabels: labels }),
    template: z.object({ metadata: z.object({ labels }), spec: podSchema }),
  }),
})
export type DeploymentObject = z.output<typeof deploymentSchema>

const ports = z.array(z.object({ protocol: z.enum(['TCP', 'UDP']), port: z.number() }))
const policySchema = z.object({
  kind: z.literal('NetworkPolicy'),
  spec: z.object({
    podSelector: z.object({ matchLabels: labels }),
    policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
    ingress: z.array(z.object({ ports, from: z.array(z.object({ namespaceSelector: z.object({ matchLabels: labels }) })).optional() })),
    egress: z.array(z.object({ ports })),
  }),
})

const objectSchema = z.looseObject({
  kind: z.enum(['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'PersistentVolumeClaim', 'Service']),
})
export type Manifest = z.output<typeof objectSchema>

export function readManifests(): Manifest[] {
  const text = readFileSync(new URL('../../deploy/kubernetes.yml', import.meta.url), 'utf8')
  return parseAllDocuments(text, { strict: true }).map((document) => {
    const [error] = document.errors
    if (error) throw error
    return objectSchema.parse(document.toJS())
  })
}

export function deployments(): DeploymentObject[] {
  return readManifests().flatMap((manifest) => (manifest.kind === 'Deployment' ? [deploymentSchema.parse(manifest)] : []))
}

export function policies(): Array<z.output<typeof policySchema>['spec']> {
  return readManifests().flatMap((manifest) => (manifest.kind === 'NetworkPolicy' ? [policySchema.parse(manifest).spec] : []))
}

/** What is wrong with `manifest` by the published schema; also names in it that the schema never asks for. */
export function mistakesIn(manifest: Manifest): string[] {
  const asked = new Set<string>()
  try {
    models[manifest.kind].prototype.validate.call(watched(manifest, '', asked))
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
  return namesIn(manifest, '').filter((name) => !asked.has(name))
}

// The schemas let further names pass, such as one that is misspelt. But a name that they know is one that they look at.
function watched<T extends object>(object: T, path: string, asked: Set<string>): T {
  return new Proxy(object, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      asked.add(`${path}/${String(name)}`)
      return typeof value === 'object' && value !== null ? watched(value, `${path}/${String(name)}`, asked) : value
    },
  })
}

function namesIn(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [`${path}/${name}`, ...namesIn(inner, `${path}/${name}`)])
}
