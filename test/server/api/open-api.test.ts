import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { served } from '../../support/served.ts'

test('the description is OpenAPI 3.1 without a fault, and says all routes of the API', async (t) => {
  const gateway = await served({ auth: 'tokens' })
  t.after(() => gateway.close())
  const { status, json, text } = await gateway.send('/api/v2/aibridge/openapi.json')
  assert.deepEqual([status, json.openapi], [200, '3.1.0'])
  const config = await createConfig({ extends: ['recommended-strict'] })
  const problems = await lintFromString({ source: text, config })
  assert.deepEqual(
    problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
    [],
  )
  for (const path of ['interceptions', 'interceptions/{id}', 'sessions', 'sessions/{session_id}'])
    assert.ok(json.paths[`/api/v2/aibridge/${path}`].get, path)
  for (const path of ['models', 'clients', 'providers', 'stats', 'stream', 'export'])
    assert.ok(json.paths[`/api/v2/aibridge/${path}`].get, path)
  assert.ok(json.paths['/api/v2/users'].post)
  assert.ok(json.paths['/readyz'].get)
  const other = (await gateway.send('/api/v2/ai-gateway/openapi.json')).json
  assert.ok(other.paths['/api/v2/ai-gateway/stats'].get)
})

test('every parameter says what it is, and every schema what it is called by', async (t) => {
  const gateway = await served()
  t.after(() => gateway.close())
  const { paths, components } = (await gateway.send('/api/v2/aibridge/openapi.json')).json
  const list = paths['/api/v2/aibridge/interceptions'].get
  const named = Object.fromEntries(
    list.parameters.map(({ name, schema }: { name: string; schema: object }) => [name, schema]),
  )
  assert.equal(named.limit.type, 'integer')
  assert.deepEqual([named.limit.minimum, named.limit.maximum, named.limit.default], [0, 1000, 100])
  assert.equal(named.after_id.format, 'uuid')
  assert.equal(named.started_after.format, 'date-time')
  for (const name of ['Interception', 'InterceptionDetail', 'Session', 'SessionDetail', 'Error'])
    assert.ok(components.schemas[name], name)
})

test('a page shows it all, loads nothing and runs nothing', async (t) => {
  const gateway = await served({ auth: 'tokens' })
  t.after(() => gateway.close())
  const { status, headers, text } = await gateway.send('/api/docs')
  assert.equal(status, 200)
  assert.match(String(headers['content-type']), /^text\/html/)
  assert.equal(headers['content-security-policy'], "default-src 'none'; style-src 'unsafe-inline'")
  assert.doesNotMatch(text, /<script|\bsrc=|https?:|\[object Object\]|undefined/)
  const { paths, components } = (await gateway.send('/api/v2/aibridge/openapi.json')).json
  for (const path of Object.keys(paths)) assert.ok(text.includes(path), path)
  for (const name of Object.keys(components.schemas))
    assert.ok(text.includes(`<section id="${name}">`), name)
  for (const [, anchor] of text.matchAll(/href="#([^"]+)"/g))
    assert.ok(text.includes(`id="${anchor}"`), anchor)
})
