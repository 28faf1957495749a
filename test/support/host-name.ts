// Loaded before the program (`--import`), it gives its process the host name in `TEST_HOST_NAME`.
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'

const name = process.env.TEST_HOST_NAME ?? ''
os.hostname = () => name
syncBuiltinESMExports()
