import type { Config, GivenSettings } from './config.ts'
import type { AuthMode, Settings } from './settings.ts'

/** Settings of one way to tell users that another way would leave unread: whoever wrote them meant something else. */
const onlyWith: readonly (readonly [name: keyof Settings, modes: readonly AuthMode[]])[] = [
  ['jwtIssuer', ['jwt']],
  ['jwtAudience', ['jwt']],
  ['jwtJwksUrl', ['jwt']],
  ['jwtUsernameClaim', ['jwt']],
  ['jwtRoleClaim', ['jwt']],
  ['authHeader', ['header']],
  ['bootstrapToken', ['tokens']],
  ['trustedProxies', ['tokens', 'jwt', 'header']],
]

/** Faults of the settings that say who may use the gateway. */
export function identityClashes(
  config: Config,
  given: GivenSettings,
  place: (name: keyof Settings) => string,
): string[] {
  const { auth } = config
  const faults = onlyWith
    .filter(([name, modes]) => given.has(name) && !modes.includes(auth))
    .map(([name, modes]) => `${place(name)}: needs auth ${modes.join(', ')} (it is ${auth})`)
  if (auth === 'jwt') {
    if (!given.has('jwtIssuer'))
      faults.push(`${place('auth')}: jwt needs jwt-issuer: whose tokens are taken`)
    if (!given.has('jwtAudience'))
      faults.push(
        `${place('auth')}: jwt needs jwt-audience: without it a token for any other program would do`,
      )
  }
  if (auth === 'header' && config.trustedProxies.length === 0)
    faults.push(
      `${place('auth')}: header needs trusted-proxies: else anybody could send ${config.authHeader}`,
    )
  if (auth !== 'none' && config.demo)
    faults.push(`${place('auth')}: --demo runs without login: leave auth at none`)
  return faults
}
