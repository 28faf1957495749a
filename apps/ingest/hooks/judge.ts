// What the headers of a request tell about its sender, before anything of the body is read.
import type { IncomingHttpHeaders } from 'node:http'
import type { Check } from './signature.ts'

/** Why it is refused; else whether it `isKnown` by a right token, and the `signature` that alone decides, if there is one. */
export type Judgement = { refused: string | undefined; isKnown: boolean; signature: Check | undefined }

type Parts = {
  mayDeliver: (token: string | undefined) => boolean
  /** With a signing key: a request that carries a signature is judged by that alone. */
  beginCheck: ((headers: IncomingHttpHeaders) => Check | undefined) | undefined
  signatureRequired: boolean
}

export const wrongSignature = 'webhook-signature does not fit, or is too old.'

export function judge({ mayDeliver, beginCheck, signatureRequired }: Parts) {
  return function judgementOf(headers: IncomingHttpHeaders): Judgement {
    const isKnown = mayDeliver(one(headers['x-gitlab-token']))
    if (beginCheck && headers['webhook-signature'] !== undefined) {
      const signature = beginCheck(headers)
      return { refused: signature ? undefined : wrongSignature, isKnown, signature }
    }
    const refused = signatureRequired ? 'webhook-signature is missing.' : isKnown ? undefined : 'X-Gitlab-Token is missing or wrong.'
    return { refused, isKnown, signature: undefined }
  }
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}
