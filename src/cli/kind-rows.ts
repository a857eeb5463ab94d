/**
 * The language in which kinds of links, queues and filters say how iproute2 prints them: a list of
 * rows, each of which takes one member of what the kernel said.
 */
import type { LinkNames } from './link-names.ts'
import type { Printer } from './printer.ts'

/** What only objects of a kind have, as the schema names it. */
export type Data = Readonly<Record<string, unknown>>
/** Prints one member, if it is there. */
export type Row = (p: Printer, data: Data, names: LinkNames) => void

export function printRows(p: Printer, rows: readonly Row[], data: Data, names: LinkNames): void {
  for (const row of rows) row(p, data, names)
}

/** `word VALUE `; `name` in JSON. */
export function value(member: string, name: string, word = name): Row {
  return (p, data) => {
    const found = data[member]
    if (found !== undefined) p.both(name, found, `${word} ${found} `)
  }
}

/** The same of what is not 0. */
export function positive(member: string, name: string, word = name): Row {
  return (p, data) => {
    const found = data[member]
    if (found) p.both(name, found, `${word} ${found} `)
  }
}

/** `word on ` and `word off `; true and false in JSON. */
export function onOff(member: string, name: string, word = name): Row {
  return (p, data) => {
    const found = data[member]
    if (found !== undefined) p.both(name, Boolean(found), `${word} ${found ? 'on' : 'off'} `)
  }
}

/** `word `, of what is set. */
export function set(member: string, name: string, word = name): Row {
  return (p, data) => {
    if (data[member]) p.both(name, true, `${word} `)
  }
}

/** `word ` and `noword `; true and false in JSON. */
export function yesNo(member: string, name: string, word: string): Row {
  return (p, data) => {
    const found = data[member]
    if (found !== undefined) p.both(name, Boolean(found), `${found ? '' : 'no'}${word} `)
  }
}

/** `word NAME `, of a link's index that is not 0. */
export function linkName(member: string, name: string, word = name): Row {
  return (p, data, names) => {
    const index = data[member]
    if (typeof index !== 'number' || index === 0) return
    const found = names.name(index)
    p.both(name, found, `${word} ${found} `)
  }
}

/** `word 0x10 `, also in JSON, of what is not 0. */
export function hex(member: string, name: string, word = name): Row {
  return (p, data) => {
    const found = data[member]
    if (found) p.both(name, hexText(found as number), `${word} ${hexText(found as number)} `)
  }
}

/** The same of 0 too. */
export function hexAlways(member: string, name: string, word = name): Row {
  return (p, data) => {
    const found = data[member]
    if (found !== undefined)
      p.both(name, hexText(found as number), `${word} ${hexText(found as number)} `)
  }
}

/** One of several words, by number or by the schema's name. */
export function oneOf(member: string, name: string, names: readonly string[], word = name): Row {
  return (p, data) => {
    const found = data[member]
    if (found === undefined) return
    const shown = typeof found === 'number' ? (names[found] ?? String(found)) : String(found)
    p.both(name, shown, `${word} ${shown} `)
  }
}

/** As C's %#x has it: 0 is `0`. */
export function hexText(number: number | bigint): string {
  return number === 0 || number === 0n ? '0' : `0x${number.toString(16)}`
}

/** ETH_P_* by iproute2's names. */
const PROTOCOLS: Readonly<Record<number, string>> = {
  96: 'loop',
  512: 'pup',
  2048: 'ip',
  2053: 'x25',
  2054: 'arp',
  24577: 'dna_dl',
  24578: 'dna_rc',
  24579: 'dna_rt',
  24580: 'lat',
  32821: 'rarp',
  32923: 'atalk',
  33011: 'aarp',
  33079: 'ipx',
  34525: 'ipv6',
  34915: 'ppp_disc',
  34916: 'ppp_ses',
  33024: '802.1Q',
  34984: '802.1ad',
  34887: 'mpls_uc',
  34888: 'mpls_mc',
  35020: 'LLDP',
  35018: 'tipc',
  34962: 'profinet',
  34978: 'aoe',
  34980: 'ethercat',
  25944: 'teb',
  1: '802_3',
  2: 'ax25',
  3: 'all',
  4: '802_2',
  5: 'snap',
  12: 'can',
}

/** An Ethernet protocol's name, or its number as iproute2 prints it. */
export function etherProtocol(number: number): string {
  return PROTOCOLS[number] ?? `[${number}]`
}

export function protocol(member: string, name: string, word = name): Row {
  return (p, data) => {
    const found = data[member]
    if (typeof found !== 'number') return
    const shown = etherProtocol(found)
    p.both(name, shown, `${word} ${shown} `)
  }
}
