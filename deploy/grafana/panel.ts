import type { Dashboard, DataSourceRef, Panel, RowPanel, VariableModel } from '@grafana/schema'

/** A query of any data source: what it has beyond `refId` is the source's own. */
export type Query = Readonly<Record<string, unknown>>

export type Visual = 'stat' | 'timeseries' | 'barchart' | 'piechart' | 'table'

export interface PanelSpec {
  readonly title: string
  readonly visual: Visual
  readonly queries: readonly Query[]
  /** Of Grafana's units. @default 'short' */
  readonly unit?: string
  readonly description?: string
  readonly width?: number
  readonly height?: number
  readonly options?: Readonly<Record<string, unknown>>
  readonly stacked?: boolean
  /** The least that lies between two points. */
  readonly interval?: string
  readonly transformations?: Panel['transformations']
  readonly overrides?: NonNullable<Panel['fieldConfig']>['overrides']
}

export interface Row {
  readonly title: string
  readonly panels: readonly PanelSpec[]
}

export interface DashboardSpec {
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly dataSource: DataSourceRef
  readonly variables: readonly VariableModel[]
  readonly rows: readonly Row[]
}

/** Puts rows of panels one below the other, each panel right of the one before where there is room. */
export function dashboard({ rows, dataSource, variables, ...spec }: DashboardSpec): Dashboard {
  const panels: (Panel | RowPanel)[] = []
  let top = 0
  for (const row of rows) {
    panels.push(rowPanel(row.title, panels.length + 1, top))
    let x = 0
    let line = 0
    top += 1
    for (const panel of row.panels) {
      const { width = 12, height = 8 } = panel
      if (x + width > 24) {
        top += line
        x = 0
        line = 0
      }
      const gridPos = { x, y: top, w: width, h: height }
      panels.push(panelOf(panel, { id: panels.length + 1, gridPos, dataSource }))
      x += width
      line = Math.max(line, height)
    }
    top += line
  }
  return {
    ...spec,
    schemaVersion: 41,
    tags: ['sluice', 'ai'],
    timezone: 'utc',
    time: { from: 'now-7d', to: 'now' },
    refresh: '1m',
    editable: true,
    graphTooltip: 1,
    templating: { list: [...variables] },
    panels,
  }
}

function rowPanel(title: string, id: number, y: number): RowPanel {
  return { type: 'row', title, id, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] }
}

interface Place {
  readonly id: number
  readonly gridPos: NonNullable<Panel['gridPos']>
  readonly dataSource: DataSourceRef
}

function panelOf(
  { title, visual, queries, unit = 'short', description, options, stacked, ...rest }: PanelSpec,
  { id, gridPos, dataSource }: Place,
): Panel {
  const { transformations, overrides = [], interval } = rest
  const lines = visual === 'timeseries' && !stacked
  return {
    id,
    gridPos,
    type: visual,
    title,
    ...(description !== undefined && { description }),
    datasource: dataSource,
    ...(interval !== undefined && { interval }),
    targets: queries.map((query, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: dataSource,
      ...query,
    })),
    options: { ...defaults[visual], ...(lines && { legend: lineLegend }), ...options },
    fieldConfig: {
      defaults: { unit, custom: customOf(visual, stacked) },
      overrides,
    },
    ...(transformations && { transformations }),
  }
}

const lastValue = { values: false, calcs: ['lastNotNull'], fields: '' }
const legend = { showLegend: true, displayMode: 'table', placement: 'right', calcs: ['sum'] }

/** Rates and quantiles don't add up. */
const lineLegend = { ...legend, placement: 'bottom', calcs: ['lastNotNull', 'max'] }

const defaults: Readonly<Record<Visual, Record<string, unknown>>> = {
  stat: { reduceOptions: lastValue, colorMode: 'value', graphMode: 'area', textMode: 'auto' },
  timeseries: {
    legend: { ...legend, placement: 'bottom' },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  barchart: {
    orientation: 'horizontal',
    showValue: 'auto',
    legend: { ...legend, showLegend: false },
  },
  piechart: {
    pieType: 'donut',
    reduceOptions: { values: true, calcs: ['lastNotNull'], fields: '' },
    legend: { ...legend, values: ['value', 'percent'] },
  },
  table: { showHeader: true, cellHeight: 'sm' },
}

function customOf(visual: Visual, stacked = false): Record<string, unknown> {
  if (visual === 'table') return { filterable: true, align: 'auto' }
  if (visual !== 'timeseries') return {}
  return stacked
    ? { drawStyle: 'bars', fillOpacity: 80, stacking: { mode: 'normal', group: 'A' } }
    : { drawStyle: 'line', fillOpacity: 10, stacking: { mode: 'none', group: 'A' } }
}
