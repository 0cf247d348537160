import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/** Addresses of machines that are believed, as `10.0.0.0/8`, `::1` and the like. */
export interface Networks {
  has(address: string | undefined): boolean
}

/** Whether a text is an address, or a network as `address/bits`. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

/** `isNetwork` holds for each text. */
export function networks(texts: readonly string[]): Networks {
  const list = new BlockList()
  for (const text of texts) {
    const [address = '', bits] = text.split('/')
    const plain = plainAddress(address)
    const family = familyOf(plain)
    if (bits === undefined) list.addAddress(plain, family)
    else list.addSubnet(plain, Number(bits), family)
  }
  return {
    has(address) {
      const plain = plainAddress(address ?? '')
      return isIP(plain) !== 0 && list.check(plain, familyOf(plain))
    },
  }
}

/** Who sent a request: the peer, or who stands behind the trusted proxies, by the last stranger that they name. */
export function clientAddress({ socket, headers }: IncomingMessage, trusted: Networks): string {
  let address = plainAddress(socket.remoteAddress ?? '')
  const named = String(headers['x-forwarded-for'] ?? '').split(',')
  while (trusted.has(address) && named.length > 0) {
    const before = plainAddress(named.pop()?.trim() ?? '')
    if (isIP(before) === 0) break
    address = before
  }
  return address
}

/** A socket that takes both families shows IPv4 peers as `::ffff:10.0.0.1`, and links have a zone. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}
