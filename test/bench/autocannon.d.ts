// The part of autocannon that the benchmarks use; the package brings no types. To be removed when `@types/autocannon`
// is taken in or the package has types of its own.
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events'

  type Request = { method?: string; path?: string; headers?: Record<string, string>; body?: Buffer | string }
  type Options = {
    url: string
    connections: number
    /** In seconds. */
    duration: number
    /** How often it looks whether its time is over, in ms. */
    sampleInt: number
    requests: Array<Request & { setupRequest?: (request: Request) => Request }>
  }
  type Result = { errors: number; timeouts: number }

  /** Emits `response` with (client, status, bytes, duration in ms). */
  export default function autocannon(
    options: Options,
    done: (error: Error | null, result: Result) => void,
  ): EventEmitter & { stop: () => void }
}
