// Secrets. Given as a variable one stays as it is; given as a file it is read again and again, so that an operator can put
// a new one there without a restart, in whatever way: written over, renamed into place, or by a link that now points elsewhere.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { inWords } from './errors.ts'
import type { Log, Redact } from './log.ts'

/** A secret as it is now: to be asked for at each use, never kept. */
export type Secret = () => string

export type Secrets = {
  /** Keeps the secret of the variable `name`, which came from `file` if one is given. New contents must pass `isGood`. */
  keep: (name: string, value: string, file: string | undefined, isGood: (value: string) => boolean) => Secret
  /** All of them, for the redactor. */
  values: () => string[]
  /**
   * Takes over what the files hold, from now until `signal` aborts: a new secret is in use about two seconds after it was
   * written, and `redact` knows it before. Contents that cannot be used are logged once, and the old secret stays. Of a token
   * that is so short that it could be guessed the log says so, now and when it is taken over. `onTaken` is told the name of each
   * that was.
   */
  watch: (parts: { redact: Redact; log: Log; signal: AbortSignal; onTaken?: (name: string) => void }) => Promise<void>
}

type Kept = { name: string; value: string; file: string | undefined; isGood: (value: string) => boolean; read: string; wrong: string }

const lookMs = 1000

/** A token that people choose must have at least this many characters, or it could be guessed. */
export const enoughCharacters = 16
/** The tokens that people choose. All others are made by the systems that they are for. */
export const chosenTokens = ['SOURCE_TOKEN', 'SOURCE_TOKEN_OLD', 'OPS_TOKEN', 'OPS_READ_TOKEN'] as const

function warnIfShort({ name, value }: Kept, log: Log): void {
  if (value.length >= enoughCharacters || !chosenTokens.some((chosen) => chosen === name)) return
  log.warn({ secret: name, enoughCharacters }, 'secret is short enough to be guessed')
}

/** The secrets of one process, none at first. */
export function openSecrets(): Secrets {
  const all: Kept[] = []

  // A file may be half-written when it is read: what is read twice in a row counts.
  type Told = { redact: Redact; log: Log; onTaken?: ((name: string) => void) | undefined }
  async function look(kept: Kept, file: string, { redact, log, onTaken }: Told): Promise<void> {
    const { value, problem = '' } = await readFile(file, 'utf8').then(contentOf, unreadable)
    const isNew = value !== undefined && value !== kept.value
    const wrong = isNew && !kept.isGood(value) ? 'what is in it cannot be such a secret' : problem
    const seen = wrong || String(value)
    const isSettled = seen === kept.read
    kept.read = seen
    if (!isSettled) return
    if (wrong !== '' && wrong !== kept.wrong) log.error({ secret: kept.name, file, reason: wrong }, 'secret stays as it was')
    kept.wrong = wrong
    if (wrong !== '' || !isNew) return
    redact.learn(value)
    kept.value = value
    log.info({ secret: kept.name, file }, 'secret taken over')
    warnIfShort(kept, log)
    onTaken?.(kept.name)
  }

  return {
    keep(name, value, file, isGood) {
      const kept: Kept = { name, value, file, isGood, read: '', wrong: '' }
      all.push(kept)
      return () => kept.value
    },
    values: () => all.map(({ value }) => value),
    async watch({ signal, ...parts }) {
      for (const kept of all) warnIfShort(kept, parts.log)
      const fromFiles = all.flatMap((kept) => (kept.file === undefined ? [] : [{ kept, file: kept.file }]))
      while (fromFiles.length > 0 && !signal.aborted) {
        for (const { kept, file } of fromFiles) await look(kept, file, parts)
        await pause(lookMs, undefined, { ref: false })
      }
    },
  }
}

/** What `make` makes of the secret, made anew only when the secret has changed. */
export function madeOf<T>(secret: Secret, make: (value: string) => T): () => T {
  let last: { value: string; made: T } | undefined
  return () => {
    const value = secret()
    if (last?.value !== value) last = { value, made: make(value) }
    return last.made
  }
}

type Content = { value: string; problem?: undefined } | { value?: undefined; problem: string }

/** The secret in the file at `path`, without the line break at its end, or in words why there is none. */
export function readSecretFile(path: string): Content {
  try {
    return contentOf(readFileSync(path, 'utf8'))
  } catch (error) {
    return unreadable(error)
  }
}

function contentOf(text: string): Content {
  const value = text.replace(/\r?\n$/, '')
  return value.trim() === '' ? { problem: 'expected a file with a secret in it, but it is empty' } : { value }
}

function unreadable(error: unknown): Content {
  return { problem: `expected a file that can be read: ${inWords(error)}` }
}
