// The alert rules and the dashboard as the tests read them.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'

export const alertsFile = new URL('../../deploy/alerts.yml', import.meta.url).pathname

const ruleSchema = z.strictObject({
  alert: z.string().regex(/^GitlabWebhooks[A-Za-z]+$/),
  expr: z.string(),
  for: z
    .string()
    .regex(/^\d+[smh]$/)
    .optional(),
  labels: z.strictObject({ severity: z.enum(['page', 'warn']) }),
  annotations: z.strictObject({
    summary: z.string(),
    command: z.string().regex(/^bin\/ops [a-z]/),
    runbook: z.string().regex(/^docs\/runbook\.md#[a-z-]+$/),
  }),
})
const rulesSchema = z.strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(ruleSchema) })) })
export type Rule = z.output<typeof ruleSchema>

export function readRules(): Rule[] {
  return rulesSchema.parse(parse(readFileSync(alertsFile, 'utf8'))).groups.flatMap(({ rules }) => rules)
}

const panelSchema = z.looseObject({
  id: z.number(),
  title: z.string(),
  type: z.enum(['stat', 'timeseries']),
  datasource: z.object({ uid: z.string().regex(/^\$\{datasource\}$/) }),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z.array(z.object({ refId: z.string(), expr: z.string(), legendFormat: z.string() })).min(1),
})
const dashboardSchema = z.looseObject({ title: z.string(), schemaVersion: z.number(), panels: z.array(panelSchema) })

export function readDashboard(): z.output<typeof dashboardSchema> {
  return dashboardSchema.parse(JSON.parse(readFileSync(new URL('../../deploy/dashboard.json', import.meta.url), 'utf8')))
}
