// What is told about units of work, if anybody wants to know: spans, as OpenTelemetry calls them. Nothing is told unless a process
// has opened its traces; then this is one call of a function.

/** `receive`: a delivery is kept. `route`: it is planned. `perform`: one attempt of an effect. `call`: one exchange with a remote. */
export type SpanName = 'receive' | 'route' | 'perform' | 'call'

/** What is told of it: ids and names of our own and of remotes, numbers; never a secret, nor what somebody has written. */
export type Attributes = Record<string, string | number>

/** `carried` is put into what comes of the work: a delivery, an effect, the headers of a request; empty when nothing is told. */
export type Span = { carried: { traceparent?: string }; note: (attributes: Attributes) => void }

type About = { cause?: string | undefined; attributes: Attributes }

export type InSpan = <T>(name: SpanName, about: About, work: (span: Span) => Promise<T>) => Promise<T>

const untold: Span = { carried: {}, note: () => undefined }
let telling: InSpan | undefined

/** Does `work`, and tells of it. `cause` is the `traceparent` of what it came of, perhaps days ago. Rejects as `work` does. */
export const inSpan: InSpan = (name, about, work) => (telling ? telling(name, about, work) : work(untold))

/** From now on spans are told by `how`. */
export function tellSpans(how: InSpan): void {
  telling = how
}
