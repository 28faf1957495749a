// From a request to its body. Whoever may not deliver, or sends what is not understood, is refused as early as that is known.
import type { IncomingMessage } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { bodyLimit, lengthOf, readBody } from './body.ts'
import { type Judgement, wrongSignature } from './judge.ts'
import type { Stay } from './waiting-room.ts'

export type HookRefusal = { status: 400 | 401 | 413 | 415 | 503; error: string; headers?: Record<string, string> }

/** `isSigned`: it was the signature that decided. */
export type Admitted = { status?: undefined; body: Buffer[]; isSigned: boolean }

type Parts = {
  judgementOf: (headers: IncomingMessage['headers']) => Judgement
  /** Room for the body of a sender that is not known yet. */
  roomFor: (length: number | undefined) => Promise<Stay | undefined>
}

const unauthorized = (error: string): HookRefusal => ({ status: 401, error })
const cutOff: HookRefusal = { status: 400, error: 'The body did not come whole.' }
const tooLarge: HookRefusal = { status: 413, error: 'The body is over 25 MiB.', headers: { connection: 'close' } }
const encoded: HookRefusal = { status: 415, error: 'No Content-Encoding is understood.', headers: { 'accept-encoding': 'identity' } }
const crowded: HookRefusal = { status: 503, error: 'Too many send at once.', headers: { connection: 'close', 'retry-after': '5' } }
const unread = { 'too large': tooLarge, 'cut off': cutOff, 'given up': crowded }

export function admission({ judgementOf, roomFor }: Parts) {
  return async function admit({ incoming, outgoing }: HttpBindings): Promise<Admitted | HookRefusal> {
    const { refused, isKnown, signature } = judgementOf(incoming.headers)
    if (refused !== undefined) return unauthorized(refused)
    if (isEncoded(incoming.headers['content-encoding'])) return encoded
    if ((lengthOf(incoming) ?? 0) > bodyLimit) return tooLarge

    const stay = isKnown ? undefined : await roomFor(lengthOf(incoming))
    if (!isKnown && !stay) return crowded
    if (incoming.headers.expect !== undefined) outgoing.writeContinue()
    const body = await readBody(incoming, { onChunk: signature && onChunk, signal: stay?.signal })
    const isRight = signature?.isRight() ?? true
    stay?.leave()
    if (typeof body === 'string') return unread[body]
    return isRight ? { body, isSigned: signature !== undefined } : unauthorized(wrongSignature)

    function onChunk(chunk: Buffer): void {
      signature?.update(chunk)
      stay?.came(chunk.length)
    }
  }
}

function isEncoded(header: string | undefined): boolean {
  return header?.split(',').some((coding) => !/^\s*(?:identity\s*)?$/i.test(coding)) ?? false
}
