// What a client says it prefers, in Accept and Accept-Encoding (RFC 9110, 12.5).

type Range = { range: string; quality: number }

/** Which of `types` a header `Accept` prefers: of those it likes best the one it names most exactly, then the first. Undefined when it takes none. */
export function preferredOf<T extends string>(types: readonly T[], accept: string | undefined): T | undefined {
  if (accept === undefined || accept.trim() === '') return types[0]
  // An EventSource names just one: then there is nothing to weigh.
  const only = types.find((type) => type === accept)
  if (only !== undefined) return only
  const ranges = rangesOf(accept)
  let best: { type: T; quality: number; vagueness: number } | undefined
  for (const type of types) {
    const named = [type, `${type.split('/')[0]}/*`, '*/*'].map((name) => ranges.find(({ range }) => range === name))
    const vagueness = named.findIndex((range) => range !== undefined)
    const quality = named[vagueness]?.quality ?? 0
    const isBetter = quality > (best?.quality ?? 0) || (quality === best?.quality && vagueness < best.vagueness)
    if (isBetter) best = { type, quality, vagueness }
  }
  return best?.type
}

/** Whether a header `Accept-Encoding` prefers gzip to what is not compressed. */
export function prefersGzip(acceptEncoding: string | undefined): boolean {
  const ranges = rangesOf(acceptEncoding ?? '')
  const qualityOf = (...names: string[]) =>
    names.flatMap((name) => ranges.filter(({ range }) => range === name).map(({ quality }) => quality))[0] ?? 0
  const quality = qualityOf('gzip', '*')
  return quality > 0 && quality >= qualityOf('identity')
}

function rangesOf(header: string): Range[] {
  return header.split(',').map((part) => {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    const told = parameters.flatMap((text) => /^q=([01](?:\.\d*)?)$/.exec(text)?.[1] ?? [])[0]
    return { range, quality: told === undefined ? 1 : Number(told) }
  })
}
