import type { Log } from '../core/diagnostics.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Settings } from './settings.ts'

export type TelemetrySettings = Pick<Settings, 'trace' | 'otelLogs' | 'logContent'>

/** OpenTelemetry's SDK in this process. */
export interface Telemetry {
  /** What hands records to it. */
  readonly plugins: readonly Plugin[]
  /** Exports what waits, for a few seconds at most. Never rejects. */
  stop(): Promise<void>
}

/** Starts the SDK where a setting asks for it: it is large, and not loaded otherwise. */
export async function startTelemetry(settings: TelemetrySettings, log: Log): Promise<Telemetry> {
  if (!settings.trace && !settings.otelLogs) return { plugins: [], stop: async () => {} }
  const { startSdk } = await import('./telemetry-sdk.ts')
  return startSdk(settings, log)
}
