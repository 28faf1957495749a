// Prometheus metrics: each process has a registry of its own, and names what it counts where it counts it.
import { Counter, collectDefaultMetrics, Registry } from 'prom-client'

export type { Registry } from 'prom-client'

/** A registry with the process's own figures (memory, CPU, event loop), for `GET /metrics`. */
export function openMetrics(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}

/** All of `registry` as text. What cannot be asked just now is left out: whatever is wrong, the rest is told. */
export async function metricsText(registry: Registry): Promise<string> {
  const texts = await Promise.allSettled(registry.getMetricsAsArray().map(({ name }) => registry.getSingleMetricAsString(name)))
  return `${texts.flatMap((text) => (text.status === 'fulfilled' ? [text.value] : [])).join('\n\n')}\n`
}

/** A function that counts a connection which was closed to make room for another. */
export function countCrowded(metrics: Registry): () => void {
  const closed = new Counter({
    name: 'gitlab_webhooks_connections_closed_total',
    help: 'Connections that were closed to make room for others.',
    registers: [metrics],
  })
  return () => closed.inc()
}

const knownKinds = new Set(
  `unknown push tag_push merge_request repository_update
  project_create project_destroy project_rename project_transfer project_update
  group_create group_destroy group_rename key_create key_destroy
  user_create user_destroy user_rename user_failed_login
  user_add_to_team user_remove_from_team user_update_for_team
  user_add_to_group user_remove_from_group user_update_for_group
  user_access_request_to_project user_access_request_revoked_for_project
  user_access_request_to_group user_access_request_revoked_for_group
  issue note pipeline build job release deployment wiki_page work_item feature_flag access_token`.split(/\s+/),
)

/** The kind as a label: kinds that GitLab does not document share one, so that nobody can make labels without end. */
export function kindLabel(kind: string): string {
  return knownKinds.has(kind) ? kind : 'other'
}
