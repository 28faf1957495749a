// How many files and connections this process may have open at once.
import { z } from 'zod'

// For whatever else than connections to a listener the process has open.
const spare = 64
const reportSchema = z.object({ userLimits: z.object({ open_files: z.object({ soft: z.number() }) }) })

/** How many connections a listener may have so that descriptors are left for all else; infinite when nothing limits them. */
export function connectionsAtMost(): number {
  const descriptors = descriptorLimit()
  return Math.max(descriptors - spare, Math.floor(descriptors / 2))
}

// `ulimit -n`, which Node raises to the hard limit at its start.
function descriptorLimit(): number {
  // Otherwise the report would look up the host names of all peers.
  Object.assign(process.report, { excludeNetwork: true })
  const report = reportSchema.safeParse(process.report.getReport())
  return report.success ? report.data.userLimits.open_files.soft : Number.POSITIVE_INFINITY
}
