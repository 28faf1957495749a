// Opens the traces of a process, where it has somewhere to send them. The packages for that are optional: nothing else loads them.
import { refuse } from './env.ts'
import type { Log } from './log.ts'
import { tellSpans } from './spans.ts'

const missing = 'needs the optional packages @opentelemetry/*: install them with `npm ci --omit=dev`'

type Parts = { app: 'ingest' | 'worker'; endpoint: string | undefined; log: Log }

/**
 * Sends the spans of `app` to the OTLP collector at `endpoint`, if there is one; answers what sends the last ones. Exits 78 where
 * packages are missing.
 */
export async function openTraces({ app, endpoint, log }: Parts): Promise<() => Promise<void>> {
  if (endpoint === undefined) return () => Promise.resolve()
  const { openOtlp } = await import('./otlp.ts').catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error
    return refuse([`OTEL_EXPORTER_OTLP_ENDPOINT: ${missing}`])
  })
  const { inSpan, close } = openOtlp({ app, endpoint, log })
  tellSpans(inSpan)
  return close
}
