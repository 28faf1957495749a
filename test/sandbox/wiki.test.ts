import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { answers, text as keepers } from '../fixtures/wiki/answers.ts'
import { reviewersFile } from '../support/fixtures.ts'
import { parseTree } from './parse-tree.ts'
import { startSandbox } from './sandbox.ts'
import { seed } from './seed.ts'
import type { Wiki } from './wiki.ts'

const answerSchema = z.object({
  parse: z.looseObject({ title: z.string(), parsetree: z.unknown().optional(), revid: z.number().optional() }).optional(),
  query: z.looseObject({ pages: z.unknown().optional() }).optional(),
  error: z.looseObject({ code: z.string(), info: z.string() }).optional(),
})

function get(wiki: Wiki, query: string, agent = 'tests/1 (https://gitlab.example/)'): Promise<Response> {
  return fetch(`${wiki.url}/w/api.php?${query}`, { headers: { 'User-Agent': agent } })
}

async function ask(wiki: Wiki, query: string) {
  return answerSchema.parse(await (await get(wiki, `${query}&format=json&formatversion=2`)).json())
}

test('every save makes a newer revision, also of a page that was gone', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { wiki } = sandbox
  const first = (await ask(wiki, 'action=parse&page=git/Reviewers&prop=revid|parsetree&redirects=1')).parse
  assert.match(String(first?.parsetree), /<value>carol<\/value>/)
  wiki.remove('Git/Reviewers')
  assert.equal((await ask(wiki, 'action=parse&page=Git/Reviewers&prop=revid')).error?.code, 'missingtitle')
  const again = wiki.save('Git/Reviewers', '')
  assert.ok(again > Number(first?.revid))
  assert.deepEqual((await ask(wiki, 'action=parse&page=Git/Reviewers&prop=revid|parsetree')).parse?.parsetree, '<root/>')
  wiki.saveTree('Git/Reviewers', '<root><h>broken')
  assert.equal((await ask(wiki, 'action=parse&page=Git/Reviewers&prop=parsetree')).parse?.parsetree, '<root><h>broken')
})

test('the ways to be down are told apart from answers', async () => {
  await using sandbox = await startSandbox()
  seed(sandbox)
  const { wiki } = sandbox
  const query = 'action=parse&page=Git/Reviewers&prop=parsetree&format=json&formatversion=2'
  assert.equal((await get(wiki, query, ' ')).status, 403)
  const seen: Array<[number, boolean]> = []
  for (const mode of ['html', 'database-down', 'truncated'] as const) {
    wiki.state.mode = mode
    const response = await get(wiki, query)
    seen.push([
      response.status,
      await response.json().then(
        () => true,
        () => false,
      ),
    ])
  }
  assert.deepEqual(seen, [
    [200, false],
    [500, false],
    [200, false],
  ])
})

test('wikitext becomes the tree MediaWiki makes of it', () => {
  const table = {
    '': '<root/>',
    'a\n== b ==\nc': '<root>a\n<h level="2" i="1">== b ==</h>\nc</root>',
    '=== uneven ==': '<root><h level="2" i="1">=== uneven ==</h></root>',
    '== no == heading': '<root>== no == heading</root>',
    '{{a|b|c=d=e|}}':
      '<root><template><title>a</title><part><name index="1"/><value>b</value></part><part><name>c</name><equals>=</equals><value>d=e</value></part><part><name index="2"/><value/></part></template></root>',
    '\n{{a}}': '<root>\n<template lineStart="1"><title>a</title></template></root>',
    '{{a|[[b|c]]}}': '<root><template><title>a</title><part><name index="1"/><value>[[b|c]]</value></part></template></root>',
    '{{{1|x}}} {{unclosed|<':
      '<root><tplarg><title>1</title><part><name index="1"/><value>x</value></part></tplarg> {{unclosed|&lt;</root>',
    '<nowiki>{{a}}</nowiki><pre/>':
      '<root><ext><name>nowiki</name><attr/><inner>{{a}}</inner><close>&lt;/nowiki&gt;</close></ext><ext><name>pre</name><attr/></ext></root>',
    'x\n <!-- a --> \ny<!-- b': '<root>x\n<comment> &lt;!-- a --&gt; \n</comment>y<comment>&lt;!-- b</comment></root>',
    '== a <!-- b --> ==<!-- c -->':
      '<root><h level="2" i="1">== a <comment>&lt;!-- b --&gt;</comment> ==<comment>&lt;!-- c --&gt;</comment></h></root>',
    '<includeonly>{{a}}</includeonly><noinclude>':
      '<root><ignore>&lt;includeonly&gt;{{a}}&lt;/includeonly&gt;</ignore><ignore>&lt;noinclude&gt;</ignore></root>',
  }
  for (const [text, tree] of Object.entries(table)) assert.equal(parseTree(text), tree)
})

test('two whole pages become the trees MediaWiki makes of them', () => {
  for (const name of ['harbour', 'odd']) assert.equal(parseTree(reviewersFile(`${name}.wikitext`)), reviewersFile(`${name}.xml`))
})

test('api.php answers like the real one', async (t) => {
  await using sandbox = await startSandbox()
  const { wiki } = sandbox
  wiki.save('Harbour/Keepers', keepers)
  wiki.save('Template:Small print', 'print')
  wiki.save('Keepers', '#REDIRECT [[Harbour/Keepers]]')
  wiki.save('Braces', '{{{{{{{{')
  wiki.save('Blank', '')
  for (const { what, query, mode = 'normal', status = 200, body } of answers) {
    if (query === undefined) continue
    await t.test(what, async () => {
      wiki.state.mode = mode
      const given = await get(wiki, query)
      assert.equal(given.status, status)
      const text = await given.text()
      if (typeof body === 'string') return assert.throws(() => JSON.parse(text))
      const [answer, wanted] = [answerSchema.parse(JSON.parse(text)), answerSchema.parse(body)]
      assert.deepEqual([answer.error?.code, answer.error?.info], [wanted.error?.code, wanted.error?.info])
      assert.deepEqual([answer.parse?.title, answer.parse?.parsetree], [wanted.parse?.title, wanted.parse?.parsetree])
      assert.deepEqual(shape(answer.query), shape(wanted.query))
    })
  }
})

// What must agree of a list of pages: which there are, and the kinds of things said of each.
function shape(query: unknown): string | undefined {
  const different = new Set(['pageid', 'revid', 'parentid', 'lastrevid', 'timestamp', 'touched', 'length'])
  const text = JSON.stringify(query, (key, value: unknown) => (different.has(key) ? 'x' : value))
  return text?.replace(/"\d+":/, '"x":')
}
