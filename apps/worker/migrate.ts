// Brings the journal's tables up to date, and ends. Every worker does the same before it writes its first entry; this is
// for whoever wants it done before a worker starts. Exits 1, with the reason, when it cannot be done.
import { z } from 'zod'
import { migrate, openDatabase } from '#shared/journal/database.ts'
import { databaseUrl } from '#shared/process/database-address.ts'
import { configure, places } from '#shared/process/env.ts'
import { inWords } from '#shared/process/errors.ts'
import { harmless } from '#shared/process/harmless.ts'

const schema = z.object(places).transform((env, context) => {
  const url = databaseUrl(env)
  if (url !== undefined) return url
  context.addIssue({ code: 'custom', path: ['DATABASE_URL'], message: 'is required: mysql://user:password@host:port/database' })
  return z.NEVER
})

const database = openDatabase(configure(schema))
try {
  await migrate(database)
} catch (error) {
  console.error(harmless(inWords(error)))
  process.exitCode = 1
} finally {
  await database.destroy()
}
