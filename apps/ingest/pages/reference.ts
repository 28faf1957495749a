// The documents of the feed, for people: made of what describes it to programs.
import { html } from 'hono/html'
import { type JsonSchema, messageSchemaOf } from '#shared/event/message-schema.ts'
import { publishedKinds } from '#shared/event/privacy/kinds.ts'
import { parameters } from '../documents/parameters.ts'

let whole: ReturnType<typeof build> | undefined

/** What may be asked, and what the messages of each kind have. It is the same for everybody, and made once. */
export function reference() {
  whole ??= build()
  return whole
}

function build() {
  return html`<h3>What you may ask</h3>
    <dl class="fields">
      ${parameters.map(
        ({ name, in: place, about, example }) =>
          html`<div><dt><code>${name}</code>${place === 'header' ? ' (header)' : ''}</dt><dd>${about} <code>${example}</code></dd></div>`,
      )}
    </dl>
    <h3>What every message has</h3>
    ${fields(partOf(messageSchemaOf('message'), 'meta'))}
    <h3>Kinds</h3>
    <p>Beside <code>meta</code> a message has what GitLab sends. These are the parts that can be relied on where they are told:</p>
    ${publishedKinds.map(kind)}
    <p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.2), and a JSON Schema for each kind.</p>`
}

function kind(name: (typeof publishedKinds)[number]) {
  const schema = messageSchemaOf(name)
  const names = Object.keys(schema.properties ?? {}).filter((field) => field !== 'meta')
  return html`<p class="of-kind">
    <a class="kind" data-kind="${name}" href="schemas/${name}.json">${name.replaceAll('_', ' ')}</a> ${schema.description}
    <span>${names.map((field) => html`<code>${field}${inside(partOf(schema, field))}</code> `)}</span>
  </p>`
}

function fields({ properties = {} }: JsonSchema) {
  return html`<dl class="fields">
    ${Object.keys(properties).map((name) => {
      const { description = '', const: only } = partOf({ properties }, name)
      return html`<div><dt><code>meta.${name}</code></dt><dd>${only === undefined ? description : html`Always <code>${only}</code>.`}</dd></div>`
    })}
  </dl>`
}

function inside({ properties, items }: JsonSchema): string {
  if (typeof items === 'object' && !Array.isArray(items)) return `[]${inside(items)}`
  return properties === undefined ? '' : `.{${Object.keys(properties).join(', ')}}`
}

function partOf({ properties }: JsonSchema, name: string): JsonSchema {
  const part = properties?.[name]
  return typeof part === 'object' ? part : {}
}
