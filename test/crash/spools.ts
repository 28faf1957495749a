// What lies in the spools: files in which deliveries may wait, whoever they are of, and what was put aside.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** A line for each. */
export async function filesIn(spools: string[]): Promise<string[]> {
  const lines = await Promise.all(
    [...new Set(spools)].map(async (spool) => Promise.all((await readdir(spool)).map((name) => line(spool, name)))),
  )
  return lines.flat(2)
}

async function line(spool: string, name: string): Promise<string[]> {
  if (name.endsWith('.broken')) return [`torn: ${name}`]
  const size = (await stat(join(spool, name)).catch(() => undefined))?.size ?? 0
  return name.endsWith('.spool') && size > 0 ? [`waits in a spool: ${name}`] : []
}
