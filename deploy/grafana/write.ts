import { writeFileSync } from 'node:fs'
import { metricsDashboard } from './metrics.ts'
import { recordsDashboard } from './records.ts'

// Grafana reads JSON; a test keeps the files equal to what is written here.
for (const dashboard of [metricsDashboard, recordsDashboard]) {
  const file = new URL(`dashboards/${dashboard.uid}.json`, import.meta.url)
  writeFileSync(file, `${JSON.stringify(dashboard, null, 2)}\n`)
}
