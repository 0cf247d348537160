import { type AnyValueMap, logs, SeverityNumber } from '@opentelemetry/api-logs'
import type { Plugin } from '../core/plugin.ts'
import { logFields } from '../plugins/structured-logger.ts'
import type { Settings } from './settings.ts'

/** Each record as a log record of OpenTelemetry: the fields of its `interception log` line as attributes. */
export function otelLog(content: Settings['logContent']): Plugin {
  const logger = logs.getLogger('sluice')
  return {
    name: 'otel-logs',
    record: (records) => {
      for (const record of records) {
        logger.emit({
          severityNumber: SeverityNumber.INFO,
          severityText: 'INFO',
          body: 'interception log',
          timestamp: new Date(record.createdAt),
          attributes: logFields(record, content) as AnyValueMap,
        })
      }
    },
  }
}
