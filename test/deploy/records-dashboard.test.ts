import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import type { Dashboard, Panel } from '@grafana/schema'
import jsonata from 'jsonata'
import { startDemo } from '../../src/server/demo.ts'
import { type Served, served } from '../support/served.ts'

// What Grafana asks our API, and what its Infinity data source makes of the answers.

interface Target {
  readonly url: string
  readonly root_selector: string
  readonly columns: readonly {
    readonly selector: string
    readonly text: string
    readonly type: string
  }[]
}

const file = new URL('../../deploy/grafana/dashboards/sluice-records.json', import.meta.url)
const dashboard = JSON.parse(readFileSync(file, 'utf8')) as Dashboard

const panels = (dashboard.panels ?? [])
  .filter((panel): panel is Panel => panel.type !== 'row')
  .flatMap(({ title, targets = [] }) =>
    targets.map((target) => ({ name: `panel ${title}`, target: target as unknown as Target })),
  )
const variables = (dashboard.templating?.list ?? []).flatMap(({ name, query }) => {
  const target = (query as { infinityQuery?: Target } | undefined)?.infinityQuery
  return target ? [{ name: `variable ${name}`, target }] : []
})

const chosen = { username: 'bob', provider: 'openai', model: 'gpt-5-codex', client: 'Codex' }
const all = { username: '*', provider: '*', model: '*', client: '*' }

/** With the variables' values where Grafana puts them. */
function urlOf({ url }: Target, values: Readonly<Record<string, string>>): string {
  const now = Date.now()
  const times: Readonly<Record<string, string>> = {
    __from: new Date(now - 3_600_000).toISOString(),
    __to: new Date(now + 60_000).toISOString(),
  }
  const filled = url.replace(/\$\{(\w+)(?::[\w:]+)?\}/g, (_, name: string) => {
    const value = times[name] ?? values[name]
    assert.ok(value !== undefined, `${name} in ${url}`)
    return times[name] ?? encodeURIComponent(value)
  })
  assert.doesNotMatch(filled, /\$/)
  return filled
}

let gateway: Served
before(async () => {
  gateway = await served()
  const end = new AbortController()
  const demo = startDemo({ url: gateway.url, signal: end.signal })
  await demo.begun
  end.abort()
  await demo.ended
})
after(() => gateway.close())

test('there is what is to be tried', () => {
  assert.ok(panels.length >= 10, String(panels.length))
  assert.deepEqual(
    variables.map(({ name }) => name),
    ['variable username', 'variable provider', 'variable model', 'variable client'],
  )
})

for (const { name, target } of [...panels, ...variables])
  for (const [what, values] of Object.entries({ all, chosen }))
    test(`${name} has rows with all its columns, with ${what}`, async () => {
      const url = urlOf(target, values)
      const { status, json, text } = await gateway.send(url)
      assert.equal(status, 200, `${url}: ${text}`)
      const rows: unknown = await jsonata(target.root_selector).evaluate(json)
      const list = (Array.isArray(rows) ? rows : [rows]) as Readonly<Record<string, unknown>>[]
      assert.ok(list.length > 0 && list[0] !== undefined, `${url}: no rows`)
      for (const row of list)
        for (const { selector, type } of target.columns) {
          const value = row[selector]
          // Of a model without a price: no cost, rather than none to pay.
          if (selector === 'cost' && value === null) continue
          if (type === 'number') assert.equal(typeof value, 'number', `${url}: ${selector}`)
          else assert.equal(typeof value, 'string', `${url}: ${selector}`)
          if (type === 'timestamp') assert.ok(Date.parse(String(value)) > 0, String(value))
        }
    })
