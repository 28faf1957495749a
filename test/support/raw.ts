// What an HTTP server sends, read from the wire to the byte: nothing is repaired, nothing is skipped.
import { connect, type Socket } from 'node:net'

/** An answer as far as it has come; its body without the framing of chunks. */
export type WireAnswer = { status: number; headers: Map<string, string>; body: string }

/** Sends `request` as it stands; `bytes` tells what has come. */
export function sendRaw(port: number, request: string): { socket: Socket; bytes: () => Buffer } {
  const chunks: Buffer[] = []
  const socket = connect(port, '127.0.0.1').on('data', (chunk) => void chunks.push(chunk))
  socket.on('error', () => undefined)
  socket.write(request)
  return { socket, bytes: () => Buffer.concat(chunks) }
}

/**
 * Reads one answer from `bytes` (RFC 9112): status line, headers, and of a chunked body all chunks that are whole. Undefined
 * while the head is not whole. Throws at the first byte that is none of these.
 */
export function readAnswer(bytes: Buffer): WireAnswer | undefined {
  const text = bytes.toString('latin1')
  if (text !== '' && !'HTTP/1.1 '.startsWith(text.slice(0, 9))) throw new Error(`begins with ${JSON.stringify(text.slice(0, 80))}`)
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) [\w -]+$/.exec(statusLine)?.[1])
  if (Number.isNaN(status)) throw new Error(`no status line: ${statusLine}`)
  const headers = new Map(lines.map((line) => readHeader(line)))
  const rest = text.slice(end + 4)
  const body = headers.get('transfer-encoding') === 'chunked' ? joinChunks(rest) : rest
  return { status, headers, body: Buffer.from(body, 'latin1').toString('utf8') }
}

function readHeader(line: string): [string, string] {
  const [, name, value] = /^([\w-]+): ([\x20-\x7e]*)$/.exec(line) ?? []
  if (name === undefined || value === undefined) throw new Error(`no header: ${line}`)
  return [name.toLowerCase(), value]
}

function joinChunks(text: string): string {
  let body = ''
  for (let at = 0; at < text.length; ) {
    const head = /^([0-9a-f]+)\r\n/i.exec(text.slice(at, at + 12))
    if (!head) {
      if (text.length - at < 12 && /^[0-9a-f]*\r?$/i.test(text.slice(at))) return body
      throw new Error(`no chunk: ${JSON.stringify(text.slice(at, at + 80))}`)
    }
    const size = Number.parseInt(head[1] ?? '', 16)
    const start = at + head[0].length
    if (text.length < start + size + 2) return body
    if (text.slice(start + size, start + size + 2) !== '\r\n')
      throw new Error(`a chunk does not end: ${text.slice(start + size, start + size + 80)}`)
    body += text.slice(start, start + size)
    at = start + size + 2
  }
  return body
}
