// Spans on their way to an OpenTelemetry collector, by OTLP over HTTP. What may come hours later, after a hold or many attempts, is a
// trace of its own that is linked to what it came of: as one trace they would grow for days, and few tools show such.
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type Context,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import { inWords } from './errors.ts'
import type { Log } from './log.ts'
import type { InSpan } from './spans.ts'

const kinds = {
  receive: { kind: SpanKind.SERVER, root: true },
  route: { kind: SpanKind.CONSUMER, root: true },
  perform: { kind: SpanKind.CONSUMER, root: true },
  call: { kind: SpanKind.CLIENT },
}

const bounds = { maxQueueSize: 2048, maxExportBatchSize: 512 }
const longestAttribute = 1000
const lastMs = 2000

type Parts = { app: 'ingest' | 'worker'; endpoint: string; log: Log }

/** Spans of `app` for the collector at `endpoint`; `close` sends those that are left, for two seconds at most. */
export function openOtlp({ app, endpoint, log }: Parts): { inSpan: InSpan; close: () => Promise<void> } {
  const named = resourceFromAttributes({ 'service.name': `gitlab-webhooks-${app}` })
  const exporter = watchedBy(log, new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }))
  const provider = new TracerProvider({
    resource: named.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor({ exporter, ...bounds })],
    spanLimits: { attributeValueLengthLimit: longestAttribute },
  })
  const tracer = provider.getTracer('gitlab-webhooks')
  const around = new AsyncLocalStorage<Context>()

  return {
    async inSpan(name, { cause, attributes }, work) {
      const options = { ...kinds[name], attributes, links: linksTo(cause) }
      const span = tracer.startSpan(name, options, around.getStore() ?? ROOT_CONTEXT)
      const carried = { traceparent: traceparentOf(span.spanContext()) }
      try {
        return await around.run(trace.setSpan(ROOT_CONTEXT, span), work, { carried, note: (more) => span.setAttributes(more) })
      } catch (error) {
        // Its words may hold anything.
        span.setAttribute('error.type', error instanceof Error ? error.name : typeof error).setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    },
    close: () => Promise.race([provider.shutdown(), pause(lastMs, undefined, { ref: false })]),
  }
}

// As W3C Trace Context writes it.
function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

function linksTo(traceparent: string | undefined): Link[] {
  const [, traceId = '', spanId = '', flags = ''] = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/.exec(traceparent ?? '') ?? []
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return isSpanContextValid(context) ? [{ context }] : []
}

// Says when the collector begins to take none, and when it does again.
function watchedBy(log: Log, exporter: SpanExporter): SpanExporter {
  let isTaken = true
  return {
    export: (spans, onResult) =>
      exporter.export(spans, (result) => {
        const { code, error } = result
        if (isTaken && code !== 0) log.warn({ reason: inWords(error ?? 'no reason') }, 'the collector takes no traces')
        if (!isTaken && code === 0) log.info('the collector takes traces again')
        isTaken = code === 0
        onResult(result)
      }),
    shutdown: () => exporter.shutdown(),
  }
}
