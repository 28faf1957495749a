// What somebody without a token may try against the public listener. Each goes on, as fast as it is let, until it is stopped.
import { connect, type Socket } from 'node:net'

export type Attack = {
  name: string
  /** What one of the attackers writes, and how. */
  play: (number: number, open: Open) => void
  /** How many there are at most, of a thousand that were asked for. */
  share: number
}

/** A connection that is made anew, `play` and all, whenever it is closed. */
type Open = (begin: (socket: Socket) => void, options?: { takesNothing?: boolean }) => void

const ask = (query: string, headers = '') => `GET /sse/?${query} HTTP/1.1\r\nHost: feed.example\r\n${headers}\r\n`

/** Asks for one page after another, at least one for each piece of an answer. */
function look(socket: Socket, pathOf: (count: number) => string): void {
  let asked = 0
  const askAgain = () => void socket.write(`GET ${pathOf(asked++)} HTTP/1.1\r\nHost: hooks.example\r\n\r\n`)
  socket.on('data', askAgain)
  askAgain()
}

const longPattern = (mark: string) => `[!${'ab'.repeat(60)}]*${'a'.repeat(100)}${mark}`
const repeating = (mark: string) => `*${'a'.repeat(100)}Z${mark}`
const twenty = (pattern: (mark: string) => string, number: number) =>
  encodeURIComponent(Array.from({ length: 20 }, (_, index) => pattern(`${number}-${index}`)).join(','))

const megabytes = 1024 * 1024
const large = 24 * megabytes
const piece = Buffer.alloc(64 * 1024, 'x')

/** Writes `size` bytes as fast as they are taken. */
function pour(socket: Socket, size: number): void {
  let left = size
  const more = () => {
    while (left > 0 && !socket.destroyed) {
      left -= piece.length
      if (!socket.write(piece)) return
    }
  }
  socket.on('drain', more)
  more()
}

function drip(socket: Socket, text: string, everyMs: number): void {
  const timer = setInterval(() => socket.write(text), everyMs)
  socket.on('close', () => clearInterval(timer))
}

const post = (headers: string, size: number) => `POST /hooks HTTP/1.1\r\nHost: hooks.example\r\n${headers}Content-Length: ${size}\r\n\r\n`
const now = () => Math.floor(Date.now() / 1000)

export const attacks: Attack[] = [
  { name: 'long filters', share: 1, play: (number, open) => open((socket) => socket.write(ask(`project=${twenty(longPattern, number)}`))) },
  {
    name: 'costly filters',
    share: 0.15,
    play: (number, open) => open((socket) => socket.write(ask(`project=${twenty(repeating, number)}`))),
  },
  { name: 'many times', share: 0.3, play: (number, open) => open((socket) => socket.write(ask(`since=${1_000_000_000_000 + number}`))) },
  {
    name: 'compressed lines with an end',
    share: 0.3,
    play: (number, open) =>
      open((socket) => socket.write(ask(`limit=${100_000 + number}`, 'Accept: application/jsonl\r\nAccept-Encoding: gzip\r\n'))),
  },
  {
    name: 'readers that take nothing',
    share: 0.3,
    play: (number, open) => open((socket) => socket.write(ask(`since=${1_000_000_000_000 + number}`)), { takesNothing: true }),
  },
  { name: 'reconnects', share: 0.1, play: (_, open) => open((socket) => socket.write(ask('last_event_id=0-0'), () => socket.end())) },
  {
    name: 'pages about merge requests',
    share: 0.1,
    play: (number, open) =>
      open((socket) =>
        look(socket, (count) => `/merge-requests/${count % 2 === 0 ? 'repos/releng/gitlab-demo/1' : `nobody/${number}/${count + 1}`}`),
      ),
  },
  {
    name: 'pages of events',
    share: 0.05,
    play: (number, open) => open((socket) => look(socket, (count) => `/?project=${encodeURIComponent(longPattern(`${number}-${count}`))}`)),
  },
  { name: 'idle connections', share: 1, play: (_, open) => open(() => undefined) },
  {
    name: 'half headers',
    share: 0.5,
    play: (_, open) =>
      open((socket) => {
        socket.write('POST /hooks HTTP/1.1\r\nHost: hooks.example\r\n')
        drip(socket, 'X-More: x\r\n', 500)
      }),
  },
  {
    name: 'large bodies with a wrong signature',
    share: 0.06,
    play: (number, open) =>
      open((socket) => {
        const signed = `webhook-id: ${number}\r\nwebhook-timestamp: ${now()}\r\nwebhook-signature: v1,eA==\r\n`
        socket.write(post(signed, large))
        pour(socket, large)
      }),
  },
  {
    name: 'slow bodies with a wrong signature',
    share: 0.2,
    play: (number, open) =>
      open((socket) => {
        const signed = `webhook-id: slow-${number}\r\nwebhook-timestamp: ${now()}\r\nwebhook-signature: v1,eA==\r\n`
        socket.write(post(signed, large))
        drip(socket, 'x'.repeat(4096), 100)
      }),
  },
  {
    name: 'large bodies with a wrong token',
    share: 0.06,
    play: (_, open) =>
      open((socket) => {
        socket.write(post('X-Gitlab-Token: wrong\r\n', large))
        pour(socket, large)
      }),
  },
]

const calmMs = 50

/** Begins `attack` on the port, with a share of `size` attackers, and goes on until `stop`. */
export function begin({ play, share }: Attack, port: number, size: number): () => void {
  const sockets = new Set<Socket>()
  let isOver = false
  for (let number = 0; number < Math.max(1, Math.round(size * share)); number++) play(number, open)

  function open(start: (socket: Socket) => void, options: { takesNothing?: boolean } = {}): void {
    if (isOver) return
    const socket = connect(port, '127.0.0.1', () => start(socket))
    sockets.add(socket)
    if (options.takesNothing !== true) socket.resume()
    socket
      .on('error', () => undefined)
      .on('close', () => {
        sockets.delete(socket)
        setTimeout(() => open(start, options), calmMs)
      })
  }

  return () => {
    isOver = true
    for (const socket of sockets) socket.destroy()
  }
}
