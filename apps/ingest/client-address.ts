// Where a request comes from: the other end of its connection, or, when that is a proxy that is trusted, what it tells in
// `X-Forwarded-For`. What stands there before the word of a proxy that is not trusted, anybody can have written.
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { z } from 'zod'
import { expected } from '#shared/process/expected.ts'

const networksForm = expected('addresses or networks such as 10.0.0.0/8, with commas between')

/** Reads a list of addresses and networks: `10.0.0.0/8, ::1`. */
export const networks = z.string().transform((text, context) => {
  const list = new BlockList()
  const wrong = text.split(',').find((network) => !addTo(list, network.trim()))
  if (wrong !== undefined) context.addIssue(networksForm.error({ input: wrong.trim() }))
  return list
})

function addTo(list: BlockList, network: string): boolean {
  const [, address = '', bits] = /^([\da-f.:]+)(?:\/(\d{1,3}))?$/i.exec(network) ?? []
  const family = familyOf(address)
  const most = family === 'ipv4' ? 32 : 128
  if (family === undefined || Number(bits ?? most) > most) return false
  list.addSubnet(address, Number(bits ?? most), family)
  return true
}

/** A function that tells from which address a request comes, believing those in `trusted`. IPv6 addresses of one /64 are one. */
export function clientAddress(trusted = new BlockList()): (request: IncomingMessage) => string {
  const isTrusted = (address: string) => trusted.check(address, familyOf(address) ?? 'ipv4')

  return function addressOf({ socket, headers }) {
    let address = socket.remoteAddress ?? ''
    const told = String(headers['x-forwarded-for'] ?? '').split(',')
    while (told.length > 0 && isTrusted(address)) {
      const before = bare(told.pop() ?? '')
      if (familyOf(before) === undefined) break
      address = before
    }
    return oneOf(address)
  }
}

// Some proxies tell the port as well: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
function bare(told: string): string {
  const [, inBrackets, withPort] = /^\s*(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)\s*$/.exec(told) ?? []
  return inBrackets ?? withPort ?? told.trim()
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const family = isIP(address)
  return family === 0 ? undefined : family === 4 ? 'ipv4' : 'ipv6'
}

function oneOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined || familyOf(address) !== 'ipv6') return mapped ?? address
  const [before = '', after] = address.split('%')[0]?.split('::') ?? []
  const [head, tail] = [before, after ?? ''].map((part) => part.split(':').filter((group) => group !== ''))
  const missing = after === undefined ? 0 : Math.max(0, 8 - (head?.length ?? 0) - (tail?.length ?? 0))
  const groups = [...(head ?? []), ...Array<string>(missing).fill('0'), ...(tail ?? [])]
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
