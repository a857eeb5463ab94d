/** `ip -d link` of tunnels: VXLAN, Geneve, GRE, ERSPAN, IP in IP, VTI. */
import {
  type Data,
  hex,
  hexText,
  linkName,
  oneOf,
  positive,
  type Row,
  set,
  value,
  yesNo,
} from './kind-rows.ts'
import type { Printer } from './printer.ts'

function isMulticast(address: string): boolean {
  if (address.includes(':')) return address.startsWith('ff')
  const first = Number.parseInt(address, 10)
  return first >= 224 && first <= 239
}

function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

/** The other end, `group` where it is a multicast one; IPv6's member has a 6 behind its name. */
function vxlanRemote(p: Printer, data: Data): void {
  const address = (data.group ?? data.group6) as string | undefined
  if (address === undefined || isAny(address)) return
  const word = isMulticast(address) ? 'group' : 'remote'
  p.both(data.group === undefined ? `${word}6` : word, address, `${word} ${address} `)
}

function vxlanLocal(p: Printer, data: Data): void {
  const address = (data.local ?? data.local6) as string | undefined
  if (address === undefined || isAny(address)) return
  p.both(data.local === undefined ? 'local6' : 'local', address, `local ${address} `)
}

function portRange(p: Printer, { portRange: range }: Data): void {
  const { low, high } = (range ?? {}) as { low?: number; high?: number }
  if (low !== undefined) p.both('port_range', { low, high }, `srcport ${low} ${high} `)
}

function learning(p: Printer, data: Data): void {
  if (data.learning !== undefined)
    p.both('learning', Boolean(data.learning), data.learning ? '' : 'nolearning ')
}

/** `inherit` where 1 means that. */
function tos(p: Printer, data: Data): void {
  const found = Number(data.tos ?? 0)
  if (found !== 0) p.both('tos', hexText(found), `tos ${found === 1 ? 'inherit' : hexText(found)} `)
}

/** A time to live that may be taken from inside, or be the system's. */
function outerTtl(p: Printer, data: Data): void {
  if (data.ttlInherit) p.text('ttl inherit ')
  else if (data.ttl !== undefined) p.both('ttl', data.ttl, `ttl ${data.ttl || 'auto'} `)
}

function dontFragment(p: Printer, { df }: Data): void {
  if (df !== undefined) p.both('df', df, df === 'unset' ? '' : `df ${df} `)
}

function ageing(p: Printer, data: Data): void {
  if (data.ageing !== undefined) p.both('ageing', data.ageing, `ageing ${data.ageing || 'none'} `)
}

function vnifilter(p: Printer, data: Data): void {
  if (data.vnifilter) p.both('vnifilter', true, 'vnifilter')
}

export const VXLAN: readonly Row[] = [
  set('collectMetadata', 'external'),
  vnifilter,
  value('id', 'id'),
  vxlanRemote,
  vxlanLocal,
  linkName('link', 'link', 'dev'),
  portRange,
  value('port', 'port', 'dstport'),
  learning,
  set('proxy', 'proxy'),
  set('rsc', 'rsc'),
  set('l2miss', 'l2miss'),
  set('l3miss', 'l3miss'),
  tos,
  outerTtl,
  dontFragment,
  hex('label', 'label', 'flowlabel'),
  ageing,
  positive('limit', 'limit', 'maxaddr'),
  yesNo('udpCsum', 'udp_csum', 'udpcsum'),
  yesNo('udpZeroCsum6Tx', 'udp_zero_csum6_tx', 'udp6zerocsumtx'),
  yesNo('udpZeroCsum6Rx', 'udp_zero_csum6_rx', 'udp6zerocsumrx'),
  set('remcsumTx', 'remcsum_tx', 'remcsumtx'),
  set('remcsumRx', 'remcsum_rx', 'remcsumrx'),
  set('gbp', 'gbp'),
  set('gpe', 'gpe'),
]

function geneveRemote(p: Printer, data: Data): void {
  const address = (data.remote ?? data.remote6) as string | undefined
  if (address === undefined || isAny(address)) return
  p.both(data.remote === undefined ? 'remote6' : 'remote', address, `remote ${address} `)
}

export const GENEVE: readonly Row[] = [
  set('collectMetadata', 'external'),
  value('id', 'id'),
  geneveRemote,
  outerTtl,
  tos,
  dontFragment,
  hex('label', 'label', 'flowlabel'),
  value('port', 'port', 'dstport'),
  yesNo('udpCsum', 'udp_csum', 'udpcsum'),
  yesNo('udpZeroCsum6Tx', 'udp_zero_csum6_tx', 'udp6zerocsumtx'),
  yesNo('udpZeroCsum6Rx', 'udp_zero_csum6_rx', 'udp6zerocsumrx'),
  set('innerProtoInherit', 'inner_proto_inherit', 'innerprotoinherit'),
]

function endpoint(member: 'local' | 'remote'): Row {
  return (p, data) => {
    const address = data[member] as string | undefined
    const shown = address === undefined || isAny(address) ? 'any' : address
    p.both(member, shown, `${member} ${shown} `)
  }
}

/** Of tunnels over IPv4: 0 means the packet's own. */
function innerTtl(p: Printer, data: Data): void {
  const ttl = data.ttl ?? 0
  p.both('ttl', ttl, `ttl ${ttl || 'inherit'} `)
}

function hopLimit(p: Printer, data: Data): void {
  const ttl = data.ttl ?? 0
  p.both('ttl', ttl, `hoplimit ${ttl || 'inherit'} `)
}

function grePathMtu(p: Printer, data: Data): void {
  if (data.pmtudisc !== undefined)
    p.both('pmtudisc', Boolean(data.pmtudisc), data.pmtudisc ? '' : 'nopmtudisc ')
}

function iptunPathMtu(p: Printer, data: Data): void {
  p.both('pmtudisc', Boolean(data.pmtudisc), data.pmtudisc ? 'pmtudisc ' : 'nopmtudisc ')
}

/** A key, as the IPv4 address that it looks like. */
function keyText(key: number): string {
  return [24, 16, 8, 0].map((shift) => (key >>> shift) & 255).join('.')
}

const GRE_CSUM = 0x8000
const GRE_KEY = 0x2000
const GRE_SEQ = 0x1000

function greKeys(p: Printer, data: Data): void {
  const iflags = Number(data.iflags ?? 0)
  const oflags = Number(data.oflags ?? 0)
  const { ikey, okey } = data as { ikey?: number; okey?: number }
  if (iflags & GRE_KEY && ikey !== undefined)
    p.both('ikey', keyText(ikey), `ikey ${keyText(ikey)} `)
  if (oflags & GRE_KEY && okey !== undefined)
    p.both('okey', keyText(okey), `okey ${keyText(okey)} `)
  if (iflags & GRE_SEQ) p.both('iseq', true, 'iseq ')
  if (oflags & GRE_SEQ) p.both('oseq', true, 'oseq ')
  if (iflags & GRE_CSUM) p.both('icsum', true, 'icsum ')
  if (oflags & GRE_CSUM) p.both('ocsum', true, 'ocsum ')
}

function vtiKey(member: 'ikey' | 'okey'): Row {
  return (p, data) => {
    const key = data[member] as number | undefined
    if (key) p.both(member, keyText(key), `${member} ${keyText(key)} `)
  }
}

function encap(p: Printer, data: Data): void {
  const type = data.encapType
  if (type === undefined || type === 'none' || type === 0) return
  const { encapSport = 0, encapDport = 0, encapFlags = 0 } = data as Record<string, number>
  const isKnown = type === 'fou' || type === 'gue'
  const flags = [
    ['csum', 1],
    ['csum6', 2],
    ['remcsum', 4],
  ] as const
  p.open('encap')
  p.text('encap ')
  p.both('type', isKnown ? type : null, `${isKnown ? type : 'unknown'} `)
  p.member('sport', encapSport)
  p.member('dport', encapDport)
  p.text(`encap-sport ${encapSport || 'auto'} encap-dport ${encapDport} `)
  for (const [name, bit] of flags) {
    const is = (encapFlags & bit) !== 0
    p.both(name, is, `${is ? '' : 'no'}encap-${name} `)
  }
  p.close()
}

const ERSPAN: readonly Row[] = [
  value('erspanIndex', 'erspan_index'),
  value('erspanVer', 'erspan_ver'),
  oneOf('erspanDir', 'erspan_dir', ['ingress', 'egress']),
  (p, { erspanHwid }) => {
    if (typeof erspanHwid === 'number')
      p.both('erspan_hwid', hexText(erspanHwid), `erspan_hwid ${hexText(erspanHwid)} `)
  },
]

export const GRE: readonly Row[] = [
  set('collectMetadata', 'external'),
  endpoint('remote'),
  endpoint('local'),
  linkName('link', 'link', 'dev'),
  innerTtl,
  tos,
  grePathMtu,
  set('ignoreDf', 'ignore_df', 'ignore-df'),
  greKeys,
  hex('fwmark', 'fwmark'),
  ...ERSPAN,
  encap,
]

/** IP6_TNL_F_*. */
const IGN_ENCAP_LIMIT = 1
const USE_ORIG_TCLASS = 2
const USE_ORIG_FLOWLABEL = 4
const MIP6_DEV = 8
const RCV_DSCP_COPY = 0x10
const USE_ORIG_FWMARK = 0x20
const ALLOW_LOCAL_REMOTE = 0x40

function flagsOf(data: Data): number {
  return Number(data.flags ?? 0)
}

/** A value that the flag says is taken from the packet inside. */
function inherited(
  flag: number,
  name: string,
  words: string,
  otherwise: (p: Printer, data: Data) => void,
): Row {
  return (p, data) => {
    if (flagsOf(data) & flag) p.both(name, true, `${words} `)
    else otherwise(p, data)
  }
}

function fixedHex(name: string, digits: number, of: (flowinfo: number) => number) {
  return (p: Printer, data: Data): void => {
    if (typeof data.flowinfo !== 'number') return
    const text = `0x${of(data.flowinfo).toString(16).padStart(digits, '0')}`
    p.both(name, text, `${name} ${text} `)
  }
}

function plain(row: Row): (p: Printer, data: Data) => void {
  return row as (p: Printer, data: Data) => void
}

/** A switch in the flags. */
function bit(flag: number, name: string, words: string): Row {
  return (p, data) => {
    if (flagsOf(data) & flag) p.both(name, true, `${words} `)
  }
}

const OVER_IPV6: readonly Row[] = [
  hopLimit,
  inherited(
    IGN_ENCAP_LIMIT,
    'ip6_tnl_f_ign_encap_limit',
    'encaplimit none',
    plain(value('encapLimit', 'encap_limit', 'encaplimit')),
  ),
  inherited(
    USE_ORIG_TCLASS,
    'ip6_tnl_f_use_orig_tclass',
    'tclass inherit',
    fixedHex('tclass', 2, (flowinfo) => (flowinfo >>> 20) & 0xff),
  ),
  inherited(
    USE_ORIG_FLOWLABEL,
    'ip6_tnl_f_use_orig_flowlabel',
    'flowlabel inherit',
    fixedHex('flowlabel', 5, (flowinfo) => flowinfo & 0xfffff),
  ),
  bit(RCV_DSCP_COPY, 'ip6_tnl_f_rcv_dscp_copy', 'dscp inherit'),
]

const LOCAL_REMOTE = bit(ALLOW_LOCAL_REMOTE, 'ip6_tnl_f_allow_local_remote', 'allow-localremote')
const FWMARK = inherited(
  USE_ORIG_FWMARK,
  'ip6_tnl_f_use_orig_fwmark',
  'fwmark inherit',
  plain(hex('fwmark', 'fwmark')),
)

export const GRE6: readonly Row[] = [
  set('collectMetadata', 'external'),
  endpoint('remote'),
  endpoint('local'),
  linkName('link', 'link', 'dev'),
  ...OVER_IPV6,
  greKeys,
  LOCAL_REMOTE,
  FWMARK,
  ...ERSPAN,
  encap,
]

/** What may be inside, by the protocol's number. */
function inside(names: Readonly<Record<number, string>>): Row {
  return (p, { proto }) => {
    const name = typeof proto === 'number' ? names[proto] : undefined
    if (name !== undefined) p.both('proto', name, `${name} `)
  }
}

const SIT_ISATAP = 1

function isatap(p: Printer, data: Data): void {
  if (flagsOf(data) & SIT_ISATAP) p.both('isatap', true, 'isatap ')
}

function rapidDeployment(p: Printer, data: Data): void {
  const { prefix6rd, prefixlen6rd, relayPrefix6rd, relayPrefixlen6rd } = data as {
    prefix6rd?: string
    prefixlen6rd?: number
    relayPrefix6rd?: string
    relayPrefixlen6rd?: number
  }
  if (!prefixlen6rd) return
  p.member('prefix', prefix6rd)
  p.member('prefixlen', prefixlen6rd)
  p.text(`6rd-prefix ${prefix6rd}/${prefixlen6rd} `)
  if (relayPrefix6rd === undefined || relayPrefix6rd === '0.0.0.0') return
  p.member('relay_prefix', relayPrefix6rd)
  p.member('relay_prefixlen', relayPrefixlen6rd)
  p.text(`6rd-relay_prefix ${relayPrefix6rd}/${relayPrefixlen6rd} `)
}

export const IPTUN: readonly Row[] = [
  set('collectMetadata', 'external'),
  inside({ 4: 'ipip', 41: 'ip6ip', 137: 'mplsip', 0: 'any' }),
  endpoint('remote'),
  endpoint('local'),
  linkName('link', 'link', 'dev'),
  innerTtl,
  tos,
  iptunPathMtu,
  isatap,
  rapidDeployment,
  hex('fwmark', 'fwmark'),
  encap,
]

export const IP6TNL: readonly Row[] = [
  set('collectMetadata', 'external'),
  inside({ 4: 'ipip6', 41: 'ip6ip6', 0: 'any' }),
  endpoint('remote'),
  endpoint('local'),
  linkName('link', 'link', 'dev'),
  ...OVER_IPV6,
  bit(MIP6_DEV, 'ip6_tnl_f_mip6_dev', 'mip6'),
  LOCAL_REMOTE,
  FWMARK,
  encap,
]

export const VTI: readonly Row[] = [
  endpoint('remote'),
  endpoint('local'),
  linkName('link', 'link', 'dev'),
  vtiKey('ikey'),
  vtiKey('okey'),
  hex('fwmark', 'fwmark'),
]
