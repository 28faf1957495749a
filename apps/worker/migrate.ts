// Brings the journal's tables up to date, and ends. Every worker does the same before it writes its first entry; this is
// for whoever wants it done before a worker starts. Exits 1, with the reason, when it cannot be done.

import { migrate, openDatabase } from '#shared/journal/database.ts'
import { configure } from '#shared/process/env.ts'
import { inWords } from '#shared/process/errors.ts'
import { sinkSecrets } from '#sinks/settings.ts'
import { opsSchema } from '../ops/context.ts'
import { warn, words } from '../ops/words.ts'

const database = openDatabase(configure(opsSchema, sinkSecrets).databaseUrl)
try {
  await migrate(database)
} catch (error) {
  warn(words`${inWords(error)}`)
  process.exitCode = 1
} finally {
  await database.destroy()
}
