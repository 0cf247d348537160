import type { Log } from '../core/diagnostics.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Config } from './config.ts'

export type TelemetrySettings = Pick<Config, 'trace' | 'otelLogs' | 'logContent' | 'otelMetrics'> &
  Partial<Pick<Config, 'semconv' | 'providers'>>

/** OpenTelemetry's SDK in this process. */
export interface Telemetry {
  /** What hands records to it. */
  readonly plugins: readonly Plugin[]
  /** Exports what waits, for a few seconds at most. Never rejects. */
  stop(): Promise<void>
}

/** Starts the SDK where a setting asks for it: it is large, and not loaded otherwise. */
export async function startTelemetry(settings: TelemetrySettings, log: Log): Promise<Telemetry> {
  const { trace, otelLogs, otelMetrics } = settings
  if (!trace && !otelLogs && !otelMetrics) return { plugins: [], stop: async () => {} }
  const { startSdk } = await import('./telemetry-sdk.ts')
  return startSdk(settings, log)
}
