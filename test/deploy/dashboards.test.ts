import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Dashboard, Panel } from '@grafana/schema'
import jsonata from 'jsonata'
import { metricsDashboard } from '../../deploy/grafana/metrics.ts'
import { recordsDashboard } from '../../deploy/grafana/records.ts'

interface Target {
  readonly expr?: string
  readonly url?: string
  readonly root_selector?: string
}

// What Grafana itself puts in: https://grafana.com/docs/grafana/latest/dashboards/variables/add-template-variables/#global-variables
const builtIn = new Set(['__range', '__rate_interval', '__from', '__to', '__interval'])

for (const dashboard of [metricsDashboard, recordsDashboard]) {
  describe(dashboard.title ?? '', () => {
    test('the file for Grafana is what is written here', () => {
      const file = new URL(`../../deploy/grafana/dashboards/${dashboard.uid}.json`, import.meta.url)
      // Else: npm exec -- node deploy/grafana/write.ts
      assert.equal(readFileSync(file, 'utf8'), `${JSON.stringify(dashboard, null, 2)}\n`)
    })

    test('every variable that a query names exists', () => {
      const declared = new Set(dashboard.templating?.list?.map(({ name }) => name))
      const text = JSON.stringify([dashboard.panels, dashboard.templating])
      const names = [...text.matchAll(/\$\{?([a-z_]\w+)/g)].map(([, name = '']) => name)
      // `$of` is bound in a selector, and Grafana has `$__all`.
      const used = new Set(names.filter((name) => !['of', '__all'].includes(name)))
      assert.ok(used.size >= 4)
      for (const name of used) assert.ok(declared.has(name) || builtIn.has(name), name)
    })

    test('every panel asks the data source that is chosen, and none lies over another', () => {
      const cells = new Set<string>()
      for (const panel of panelsOf(dashboard)) {
        assert.equal(panel.datasource?.uid, '$' + '{datasource}')
        const { x = 0, y = 0, w = 0, h = 0 } = panel.gridPos ?? {}
        assert.ok(x + w <= 24, panel.title)
        for (let column = x; column < x + w; column++)
          for (let line = y; line < y + h; line++) {
            assert.ok(!cells.has(`${column} ${line}`), `${panel.title} lies over another panel`)
            cells.add(`${column} ${line}`)
          }
      }
    })

    test('ids of panels and letters of queries are unique', () => {
      const ids = panelsOf(dashboard).map(({ id }) => id)
      assert.equal(new Set(ids).size, ids.length)
    })
  })
}

test('every selector of the records’ dashboard is JSONata', () => {
  for (const { root_selector: selector } of targetsOf(recordsDashboard))
    assert.doesNotThrow(() => jsonata(selector ?? ''), selector)
})

function panelsOf(dashboard: Dashboard): Panel[] {
  return (dashboard.panels ?? []).filter((panel): panel is Panel => panel.type !== 'row')
}

function targetsOf(dashboard: Dashboard): Target[] {
  return panelsOf(dashboard).flatMap(({ targets = [] }) => targets as Target[])
}
