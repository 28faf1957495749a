// What a PromQL expression asks for, read by Prometheus' own grammar.
import { parser } from '@prometheus-io/lezer-promql'

export type Asked = {
  /** Each metric with what is said about its labels. */
  metrics: Array<{ name: string; matchers: Array<{ label: string; value: string }> }>
  /** Labels by which results are grouped or joined. */
  groupings: string[]
}

/** Throws where `expression` is not PromQL. */
export function readExpression(expression: string): Asked {
  const text = expression.replaceAll('$__rate_interval', '5m')
  const asked: Asked = { metrics: [], groupings: [] }
  const words = (from: number, to: number) => text.slice(from, to)
  parser.parse(text).iterate({
    enter({ type, node, from, to }) {
      if (type.isError) throw new SyntaxError(`Not PromQL at character ${from}: ${text}`)
      if (type.name === 'VectorSelector') {
        const name = node.getChild('Identifier')
        asked.metrics.push({ name: name ? words(name.from, name.to) : '', matchers: [] })
      }
      if (type.name === 'UnquotedLabelMatcher') {
        const [label, value] = [node.getChild('LabelName'), node.getChild('StringLiteral')]
        if (label && value)
          asked.metrics.at(-1)?.matchers.push({ label: words(label.from, label.to), value: words(value.from + 1, value.to - 1) })
      }
      if (type.name === 'GroupingLabels') asked.groupings.push(...node.getChildren('LabelName').map((label) => words(label.from, label.to)))
      return to >= from
    },
  })
  return asked
}

/** The metrics in Prometheus' text form: by name the labels that they have, and by label the values. */
export function readMetrics(text: string): Map<string, Map<string, Set<string>>> {
  const metrics = new Map<string, Map<string, Set<string>>>()
  for (const line of text.split('\n')) {
    const [, declared, sampled, labels = ''] = /^(?:# TYPE (\S+)|(\w+)(?:\{(.*)\})? \S+$)/.exec(line) ?? []
    const name = declared ?? sampled
    if (name === undefined) continue
    const values = metrics.get(name) ?? new Map<string, Set<string>>()
    metrics.set(name, values)
    for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g))
      values.set(label, (values.get(label) ?? new Set()).add(value))
  }
  return metrics
}
