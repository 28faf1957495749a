// What Node.js is told about memory where the service runs, for those that are measured by how much they grow.
import { readProcfile } from '../deploy/procfile.ts'

export const shippedFlags = (readProcfile().get('web') ?? []).filter((word) => word.startsWith('--'))
