// Loaded before each test file. A test that fails may leave something behind that would keep its file from ending, such as a
// server or a command that still runs: a while after the last test the file ends all the same. Not at once, since what it
// has to report may still be on its way.
import { after } from 'node:test'

const graceMs = 10_000

after(() => void setTimeout(() => process.exit(), graceMs).unref())
