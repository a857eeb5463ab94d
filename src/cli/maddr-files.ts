/**
 * What Linux tells of multicast in /proc/net alone: link-layer addresses, and how many users a group
 * has. They are of this process's network namespace.
 */
import { readFileSync } from 'node:fs'
import { formatIpv4, formatIpv6 } from '../schema/index.ts'

export interface MulticastEntry {
  readonly ifindex: number
  readonly family: 'link' | 'inet' | 'inet6'
  readonly address: string
  readonly users: number
  /** Whether somebody set it by hand. */
  readonly isStatic: boolean
}

function linesOf(name: string): string[] {
  try {
    return readFileSync(`/proc/thread-self/net/${name}`, 'utf8').split('\n').filter(Boolean)
  } catch {
    return []
  }
}

function bytesOf(hex: string): DataView {
  return new DataView(Uint8Array.from(Buffer.from(hex, 'hex')).buffer)
}

/** `2    v1              1     0     333300000001`. */
function linkLayer(): MulticastEntry[] {
  return linesOf('dev_mcast').map((line) => {
    const [index, , users, isGlobal, address = ''] = line.trim().split(/\s+/)
    const pairs = address.match(/../g) ?? []
    const own = { family: 'link', address: pairs.join(':'), isStatic: isGlobal !== '0' } as const
    return { ifindex: Number(index), users: Number(users), ...own }
  })
}

/** A line for each link, and below it `010000E0     1 0:00000000		0` for each group. */
function ipv4(): MulticastEntry[] {
  const found: MulticastEntry[] = []
  let ifindex = 0
  for (const line of linesOf('igmp').slice(1)) {
    const words = line.trim().split(/\s+/)
    if (/^\d/.test(line)) ifindex = Number(words[0])
    else {
      const [hex = '', users] = words
      const reversed = (hex.match(/../g) ?? []).reverse().join('')
      const address = formatIpv4(bytesOf(reversed), 0)
      found.push({ ifindex, family: 'inet', address, users: Number(users), isStatic: false })
    }
  }
  return found
}

/** `1    lo              ff020000000000000000000000000001     1 0000000C 0`. */
function ipv6(): MulticastEntry[] {
  return linesOf('igmp6').map((line) => {
    const [index, , hex = '', users] = line.trim().split(/\s+/)
    const address = formatIpv6(bytesOf(hex), 0)
    const own = { family: 'inet6', address, isStatic: false } as const
    return { ifindex: Number(index), users: Number(users), ...own }
  })
}

/** All of them, those of a link beside each other. */
export function multicastEntries(): MulticastEntry[] {
  return [...linkLayer(), ...ipv4(), ...ipv6()]
}
