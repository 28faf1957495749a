// Whether the worker would start with the configuration that this command has.
import { z } from 'zod'
import { readEnvironment } from '#shared/process/env.ts'
import { chosenTokens, enoughCharacters } from '#shared/process/secret.ts'
import { type Finding, ok, warning, wrong } from '#sinks/finding.ts'
import { missingWhere } from '#sinks/settings.ts'
import type { OpsContext } from '../../context.ts'

const id = 'configuration'

export function checkConfiguration({ config }: OpsContext): Finding[] {
  const { sinksEnabled, settings, dryRun } = config
  const findings = missingWhere(sinksEnabled, settings).map(({ name, sink, partOf }) =>
    partOf
      ? warning(id, `without ${name} ${partOf.without}`, 'set it')
      : wrong(id, `${name} is not set, and the sink ${sink} needs it`, 'set it, or leave the sink out of SINKS_ENABLED'),
  )
  findings.push(...chosenTokens.filter(isShortHere).map(tooShort))
  if (dryRun) findings.push(warning(id, 'DRY_RUN is set: nothing is changed anywhere', 'unset it when you are ready'))
  return findings.length > 0 ? findings : [ok(id, `sinks: ${[...sinksEnabled].join(', ')}`)]
}

function tooShort(name: string): Finding {
  const message = `${name} is shorter than ${enoughCharacters} characters: it could be guessed`
  return warning(id, message, 'make a longer one, such as by openssl rand -hex 32, and put it wherever the old one is')
}

// Those of ingest are there only when this runs with its environment; what cannot be read here is none of ours.
function isShortHere(name: string): boolean {
  try {
    const { [name]: value } = readEnvironment(z.object({ [name]: z.string().optional() }))
    return value !== undefined && value.length < enoughCharacters
  } catch {
    return false
  }
}
