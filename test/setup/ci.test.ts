// GitLab runs what everybody runs before a push, on the line of Node.js that is pinned.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { readDockerfile, root } from '../containers/files.ts'

const pipelineSchema = z.looseObject({ check: z.looseObject({ image: z.string(), script: z.array(z.string()) }) })

test('the pipeline in GitLab is bin/ci, in an image of the line of Node.js that the service runs on', () => {
  const { check } = pipelineSchema.parse(parse(readFileSync(`${root}.gitlab-ci.yml`, 'utf8')))
  assert.deepEqual(check.script, ['bin/ci'])
  for (const { image } of readDockerfile()) assert.equal(check.image.split('-')[0], image.split('-')[0])
})
