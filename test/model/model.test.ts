// The model of spool, queue, lane, fence and look-up: all states of it, not only those into which chance leads.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explore } from './explore.ts'
import { type Rule, serviceModel, windows } from './service.ts'

test('with any two faults nothing that was answered 202 is lost, made twice, or out of order', (context) => {
  const { states, trace } = explore(serviceModel({ faults: 2 }))
  assert.equal(trace, undefined, trace?.join('\n'))
  context.diagnostic(`${states} states`)
})

const found: Record<Rule, string> = {
  'stores before it answers': 'from here it never comes to an end',
  'spools behind what is spooled': 'out of order',
  'runs only the head of a lane': 'two of a lane at once',
  'asks at the fence whether the job is its own': 'twice',
  'writes down that a call began': 'twice',
  'looks before it repeats': 'twice',
}

for (const [broken, what] of Object.entries(found)) {
  test(`a service that does not keep the rule "${broken}" is found out: ${what}`, (context) => {
    const { trace = [] } = explore(serviceModel({ faults: 2, broken: broken as Rule }))
    context.diagnostic(trace.join('; '))
    assert.equal(trace.at(-1), what)
  })
}

for (const open of windows) {
  test(`a window that is known is found when it is open: ${open}`, (context) => {
    const { trace = [] } = explore(serviceModel({ faults: 2, open }))
    context.diagnostic(trace.join('; '))
    assert.equal(trace.at(-1), 'twice')
  })
}
