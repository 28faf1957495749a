// The names of spool files. Each names its owner, that is host, process and one life of it, and when it was made by whom,
// by which no two files are ever alike.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

export const ending = '.spool'

/** One life of this process: in a container the next one may have its number. */
export function newOwner(): string {
  return `${hostname()}.${process.pid}.${randomBytes(4).toString('hex')}`
}

let counter = 0

/** The name of a new file of `owner`. */
export function newName(owner: string): string {
  const order = String(counter++).padStart(6, '0')
  return nameOf(owner, `${Date.now()}-${order}-${owner.split('.').at(-1)}`)
}

/** The name of the file of that age when it is of `owner`. */
export function nameOf(owner: string, age: string): string {
  return `${owner}.${age}${ending}`
}

export function ownerOf(name: string): string {
  return name.split('.').slice(0, -2).join('.')
}

/** When the file of that name, or at that path, was made: of two ages the lower one is older. */
export function ageOf(name: string): string {
  return name.split('.').at(-2) ?? ''
}

export function byAge(a: string, b: string): number {
  return ageOf(a) < ageOf(b) ? -1 : 1
}

/** The host and the number of the process that a file is of; undefined for a name of another kind. */
export function placeOf(name: string): { host: string; pid: number } | undefined {
  const [, host, pid] = /^(.*)\.(\d+)\.[^.]+\.[^.]+\.spool$/.exec(name) ?? []
  return host === undefined ? undefined : { host, pid: Number(pid) }
}
