/** `ip -d link` of kinds on Ethernet: VLANs, MACVLAN, IPVLAN, MACsec, HSR, tun, CAN's simple kin. */
import { readFileSync } from 'node:fs'
import { type Data, linkName, oneOf, onOff, protocol, type Row, value } from './kind-rows.ts'
import type { Printer } from './printer.ts'

const VLAN_FLAGS = ['REORDER_HDR', 'GVRP', 'LOOSE_BINDING', 'MVRP', 'BRIDGE_BINDING'] as const
/** In the order in which ip(8) prints them. */
const VLAN_ORDER = [0, 1, 3, 2, 4] as const

function vlanFlags(p: Printer, data: Data): void {
  const { flags } = (data.flags ?? {}) as { flags?: number }
  if (flags === undefined) return
  const found: string[] = VLAN_ORDER.filter((bit) => (flags >> bit) & 1).map(
    (bit) => VLAN_FLAGS[bit],
  )
  if (flags >> 5) found.push((flags & ~31).toString(16))
  p.both('flags', found, `<${found.join(',')}> `)
}

function qosMap(member: string, name: string, word: string): Row {
  return (p, data) => {
    const map = data[member] as { mapping?: { from: number; to: number }[] } | undefined
    if (!map) return
    const pairs = map.mapping ?? []
    p.line()
    p.both(
      name,
      pairs.map(({ from, to }) => ({ from, to })),
      `      ${word} { ${pairs.map(({ from, to }) => `${from}:${to} `).join('')}} `,
    )
  }
}

export const VLAN: readonly Row[] = [
  protocol('protocol', 'protocol'),
  value('id', 'id'),
  vlanFlags,
  qosMap('ingressQos', 'ingress_qos', 'ingress-qos-map'),
  qosMap('egressQos', 'egress_qos', 'egress-qos-map'),
]

function macvlanFlags(p: Printer, data: Data): void {
  const flags = Number(data.flags ?? 0)
  if (flags & 1) p.both('nopromisc', true, 'nopromisc ')
  if (flags & 2) p.both('nodst', true, 'nodst ')
}

/** What only the mode `source` has. */
function macvlanSources(p: Printer, data: Data): void {
  const { macaddrCount, macaddrData } = data as {
    macaddrCount?: number
    macaddrData?: { macaddr?: string[] }
  }
  if (data.mode !== 'source' || macaddrCount === undefined) return
  p.both('macaddr_count', macaddrCount, `remotes (${macaddrCount}) `)
  if (!macaddrData) return
  const all = macaddrData.macaddr ?? []
  p.both('macaddr_data', all, all.map((each) => `${each} `).join(''))
}

export const MACVLAN: readonly Row[] = [
  oneOf('mode', 'mode', []),
  macvlanFlags,
  value('bcQueueLen', 'bcqueuelen'),
  value('bcQueueLenUsed', 'usedbcqueuelen'),
  macvlanSources,
]

function ipvlanFlags(p: Printer, { flags }: Data): void {
  if (typeof flags !== 'number') return
  const name = flags & 1 ? 'private' : flags & 2 ? 'vepa' : 'bridge'
  p.both(name, true, `${name} `)
}

export const IPVLAN: readonly Row[] = [oneOf('mode', 'mode', [], ' mode'), ipvlanFlags]

export const VRF: readonly Row[] = [value('table', 'table')]

function hsrPort(member: string): Row {
  return (p, data, names) => {
    const index = data[member]
    if (typeof index !== 'number') p.both(member, null, `${member} <none> `)
    else p.both(member, names.name(index), `${member} ${names.name(index)} `)
  }
}

export const HSR: readonly Row[] = [
  hsrPort('slave1'),
  hsrPort('slave2'),
  value('seqNr', 'seq_nr', 'sequence'),
  value('supervisionAddr', 'supervision_addr', 'supervision'),
  value('protocol', 'proto'),
]

const CIPHERS: Readonly<Record<string, string>> = {
  '0080020001000001': 'GCM-AES-128',
  '0080c20001000001': 'GCM-AES-128',
  '0080c20001000002': 'GCM-AES-256',
  '0080c20001000003': 'GCM-AES-XPN-128',
  '0080c20001000004': 'GCM-AES-XPN-256',
}

function macsecIdentity(p: Printer, { sci }: Data): void {
  if (typeof sci !== 'bigint') return
  const text = sci.toString(16).padStart(16, '0')
  p.both('sci', text, `sci ${text} `)
}

/** Of 8 bytes in the order of the machine, which the kernel leaves them in. */
function macsecCipher(p: Printer, { cipherSuite }: Data): void {
  if (!(cipherSuite instanceof Uint8Array)) return
  const name = CIPHERS[Buffer.from(cipherSuite).reverse().toString('hex')] ?? '(unknown)'
  p.both('cipher_suite', name, `cipher ${name} `)
}

/** A switch that JSON calls otherwise. */
function macsecFlag(member: string, name: string, word = name): Row {
  return onOff(member, name, word)
}

export const MACSEC: readonly Row[] = [
  macsecIdentity,
  macsecFlag('protect', 'protect'),
  macsecCipher,
  value('icvLen', 'icv_len', 'icvlen'),
  value('encodingSa', 'encoding_sa', 'encodingsa'),
  oneOf('validation', 'validation', [], 'validate'),
  oneOf('offload', 'offload', []),
  macsecFlag('encrypt', 'encrypt'),
  macsecFlag('incSci', 'inc_sci', 'send_sci'),
  macsecFlag('es', 'es', 'end_station'),
  macsecFlag('scb', 'scb'),
  macsecFlag('replayProtect', 'replay_protect', 'replay'),
  value('window', 'window'),
]

/** Names of users or groups of this machine, by number. */
function ownerNames(file: string): ReadonlyMap<string, string> {
  try {
    const lines = readFileSync(file, 'utf8').split('\n')
    return new Map(
      lines.map((line) => line.split(':')).map(([name, , id]) => [id ?? '', name ?? '']),
    )
  } catch {
    return new Map()
  }
}

function owner(member: string, name: string, file: string): Row {
  return (p, data) => {
    const id = data[member]
    if (typeof id !== 'number') return
    const found = ownerNames(file).get(String(id))
    p.both(name, found ?? id, `${name} ${found ?? id} `)
  }
}

function tunQueues(p: Printer, data: Data): void {
  if (!data.multiQueue) {
    p.member('multi_queue', false)
    return
  }
  p.both('multi_queue', true, 'multi_queue ')
  const { numQueues, numDisabledQueues } = data
  if (numQueues !== undefined) p.both('numqueues', numQueues, `numqueues ${numQueues} `)
  if (numDisabledQueues !== undefined)
    p.both('numdisabled', numDisabledQueues, `numdisabled ${numDisabledQueues} `)
}

export const TUN: readonly Row[] = [
  oneOf('type', 'type', []),
  onOff('pi', 'pi'),
  onOff('vnetHdr', 'vnet_hdr'),
  tunQueues,
  onOff('persist', 'persist'),
  owner('owner', 'user', '/etc/passwd'),
  owner('group', 'group', '/etc/group'),
]

function ipoibKey(p: Printer, { pkey, mode, umcast }: Data): void {
  if (typeof pkey !== 'number') return
  const key = pkey === 0 ? '0000' : `0x${pkey.toString(16).padStart(4, '0')}`
  p.both('key', key, `pkey ${key} `)
  if (mode === undefined) return
  const name = typeof mode === 'number' ? 'unknown' : mode
  p.both('mode', name, `mode ${name} `)
  if (typeof umcast !== 'number') return
  const text = umcast.toString(16).padStart(4, '0')
  p.both('umcast', text, `umcast ${text} `)
}

export const IPOIB: readonly Row[] = [ipoibKey]
export const RMNET: readonly Row[] = [value('muxId', 'mux_id')]
export const WWAN: readonly Row[] = [value('linkId', 'linkid')]
export const DSA: readonly Row[] = [linkName('conduit', 'conduit')]

export const GTP: readonly Row[] = [
  oneOf('role', 'role', ['ggsn', 'sgsn']),
  value('pdpHashsize', 'hsize'),
  value('restartCount', 'restart_count'),
]

function amtMode(p: Printer, { mode }: Data): void {
  if (mode !== undefined) p.both('mode', mode, `${mode} `)
}

export const AMT: readonly Row[] = [
  amtMode,
  value('gatewayPort', 'gateway_port'),
  value('relayPort', 'relay_port'),
  value('localIp', 'local'),
  value('remoteIp', 'remote'),
  value('discoveryIp', 'discovery'),
  linkName('link', 'link', 'dev'),
  value('maxTunnels', 'max_tunnels'),
]

function xfrmId(p: Printer, data: Data): void {
  if (data.collectMetadata) p.both('external', true, 'external ')
  else if (typeof data.ifId === 'number') {
    const id = data.ifId === 0 ? '0' : `0x${data.ifId.toString(16)}`
    p.both('if_id', id, `if_id ${id} `)
  }
}

export const XFRM: readonly Row[] = [xfrmId]

function multiproto(p: Printer, data: Data): void {
  const is = Boolean(data.multiprotoMode)
  p.both('multiproto', is, is ? 'multiproto ' : 'nomultiproto ')
}

export const BAREUDP: readonly Row[] = [
  value('port', 'dstport'),
  protocol('ethertype', 'ethertype'),
  value('srcportMin', 'srcportmin'),
  multiproto,
]
