import { isIPv4 } from 'node:net'

/** Whether a host name or address, as in a setting or a `Host` header less its port, is this machine's own. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  // Only what the resolver can't be led to lie about: `127.0.0.1.example` is a stranger's name.
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'))
}
