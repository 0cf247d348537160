import { core, type NodeSDK, resources } from '@opentelemetry/sdk-node'

type Configuration = NonNullable<ConstructorParameters<typeof NodeSDK>[0]>
type Detector = NonNullable<Configuration['resourceDetectors']>[number]

/** What tells the SDK of this process: those that `OTEL_NODE_RESOURCE_DETECTORS` names, less what may be a secret. */
export function resourceDetectors(): Detector[] {
  const named = core.getStringListFromEnv('OTEL_NODE_RESOURCE_DETECTORS') ?? usual
  if (named.includes('all')) return [...detectors.values()]
  return named.flatMap((name) => detectors.get(name) ?? [])
}

/** The command line may hold keys and tokens. */
const processWithoutArguments: Detector = {
  detect: (config) => {
    const { attributes = {}, ...others } = resources.processDetector.detect(config)
    const { 'process.command_args': _, 'process.command': __, ...kept } = attributes
    return { ...others, attributes: kept }
  },
}

const usual = ['env', 'process', 'host']
const detectors: ReadonlyMap<string, Detector> = new Map<string, Detector>([
  ['env', resources.envDetector],
  ['process', processWithoutArguments],
  ['host', resources.hostDetector],
  ['os', resources.osDetector],
  ['serviceinstance', resources.serviceInstanceIdDetector],
])
