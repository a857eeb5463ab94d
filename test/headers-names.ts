/** How C spells what the schema spells otherwise: struct members, and the values of enumerations. */

/** `array` for what C has as an array of integers; else the prefix of members, and exceptions. */
export type StructNames =
  | 'array'
  | {
      readonly prefix?: string
      readonly members?: Readonly<Record<string, string>>
      /** The schema has the beginning of it: what newer kernels added is kept as bytes. */
      readonly isBeginning?: boolean
    }

export const structs: Readonly<Record<string, StructNames>> = {
  acpi_genl_event: 'array',
  /** A single number in front of attributes, for which C has no struct. */
  router_port: 'array',
  br_boolopt_multi: {},
  br_mdb_entry: { members: { addr: 'addr.u', proto: 'addr.proto' } },
  br_port_msg: {},
  br_vlan_msg: {},
  bridge_stp_xstats: {},
  bridge_vlan_xstats: {},
  gnet_stats_basic: {},
  gnet_stats_queue: {},
  gnet_stats_rate_est: {},
  gnet_stats_rate_est64: {},
  tc_fifo_qopt: {},
  tc_gact: {},
  tc_gact_p: {},
  tc_htb_glob: {},
  tc_htb_opt: {},
  tc_mirred: {},
  tc_prio_qopt: {},
  tc_ratespec: { members: { cellLog: 'cell_log', cellAlign: 'cell_align' } },
  tc_sfq_qopt: {},
  tc_tbf_qopt: {},
  tcf_t: {},
  tcmsg: { prefix: 'tcm_' },
  can_berr_counter: {},
  can_bittiming: {},
  can_bittiming_const: {},
  can_clock: {},
  can_ctrlmode: {},
  can_device_stats: {},
  bridge_vlan_info: {},
  fib_rule_hdr: { members: { frhTable: 'table' } },
  fib_rule_port_range: {},
  fib_rule_uid_range: {},
  ifa_cacheinfo: { members: { prefered: 'ifa_prefered', valid: 'ifa_valid' } },
  if_stats_msg: {},
  ifaddrlblmsg: { prefix: 'ifal_', members: { ifindex: 'ifal_index' } },
  ifaddrmsg: { prefix: 'ifa_', members: { ifaFlags: 'ifa_flags', ifindex: 'ifa_index' } },
  ifinfomsg: { prefix: 'ifi_', members: { ifindex: 'ifi_index' } },
  ifla_bridge_id: {},
  ifla_cacheinfo: {},
  ifla_geneve_port_range: {},
  ifla_rmnet_flags: {},
  ifla_vf_broadcast: {},
  ifla_vf_guid: {},
  ifla_vf_link_state: {},
  ifla_vf_mac: {},
  ifla_vf_rate: {},
  ifla_vf_rss_query_en: {},
  ifla_vf_spoofchk: {},
  ifla_vf_trust: {},
  ifla_vf_tx_rate: {},
  ifla_vf_vlan: {},
  ifla_vf_vlan_info: {},
  ifla_vlan_flags: {},
  ifla_vlan_qos_mapping: {},
  ifla_vxlan_port_range: {},
  int: 'array',
  ipv4_devconf: 'array',
  ipv6_devconf: 'array',
  mpls_link_stats: {},
  nda_cacheinfo: { prefix: 'ndm_' },
  ndmsg: { prefix: 'ndm_' },
  ndt_config: { prefix: 'ndtc_' },
  ndt_stats: { prefix: 'ndts_' },
  ndtmsg: { prefix: 'ndtm_' },
  netconfmsg: { prefix: 'ncm_' },
  nexthop_grp: {},
  nhmsg: { prefix: 'nh_' },
  nlmsgerr: {
    members: {
      len: 'msg.nlmsg_len',
      type: 'msg.nlmsg_type',
      flags: 'msg.nlmsg_flags',
      seq: 'msg.nlmsg_seq',
      portid: 'msg.nlmsg_pid',
    },
  },
  prefix_cacheinfo: {},
  prefixmsg: { prefix: 'prefix_' },
  rta_cacheinfo: { prefix: 'rta_' },
  rta_mfc_stats: { prefix: 'mfcs_' },
  rtgenmsg: { prefix: 'rtgen_' },
  rtmsg: { prefix: 'rtm_', members: { rtmTable: 'rtm_table' } },
  rtnexthop: { prefix: 'rtnh_' },
  rtnl_hw_stats64: {},
  rtnl_link_ifmap: {},
  rtnl_link_stats: {},
  rtnl_link_stats64: {},
  rtvia: { prefix: 'rtvia_' },
  taskstats: {
    isBeginning: true,
    members: {
      exitcode: 'ac_exitcode',
      flag: 'ac_flag',
      nice: 'ac_nice',
      comm: 'ac_comm',
      sched: 'ac_sched',
      uid: 'ac_uid',
      gid: 'ac_gid',
      pid: 'ac_pid',
      ppid: 'ac_ppid',
      btime: 'ac_btime',
      etime: 'ac_etime',
      utime: 'ac_utime',
      stime: 'ac_stime',
      minflt: 'ac_minflt',
      majflt: 'ac_majflt',
    },
  },
}
const each = (prefix: string, names: string): string =>
  names
    .split(' ')
    .map((name) => prefix + name.toUpperCase().replaceAll('-', '_'))
    .join(' ')

/**
 * The names of an enumeration, and the constants that they stand for, in the same order; none where
 * Linux keeps the constants to itself.
 */
export const enumerators: Readonly<Record<string, string | undefined>> = {
  'invalid flag u8 u16 u32 u64 s8 s16 s32 s64 binary string nul-string nested nested-array bitfield32 sint uint':
    each(
      'NL_ATTR_TYPE_',
      'invalid flag u8 u16 u32 u64 s8 s16 s32 s64 binary string nul-string nested nested-array bitfield32 sint uint',
    ),
  'unknown notpresent down lowerlayerdown testing dormant up': each(
    'IF_OPER_',
    'unknown notpresent down lowerlayerdown testing dormant up',
  ),
  'default dormant testing': each('IF_LINK_MODE_', 'default dormant testing'),
  'none reboot features bonding_failover notify_peers igmp_resend bonding_options': each(
    'IFLA_EVENT_',
    'none reboot features bonding_failover notify_peers igmp_resend bonding_options',
  ),
  'none drv skb hw multi': each('XDP_ATTACHED_', 'none drv skb hw multi'),
  'balance-rr active-backup balance-xor broadcast 802.3ad balance-tlb balance-alb': each(
    'BOND_MODE_',
    'roundrobin activebackup xor broadcast 8023ad tlb alb',
  ),
  'always better failure': undefined,
  'none active follow': undefined,
  'layer2 layer3+4 layer2+3 encap2+3 encap3+4 vlan+srcmac': each(
    'BOND_XMIT_POLICY_',
    'layer2 layer34 layer23 encap23 encap34 vlan_srcmac',
  ),
  'slow fast': undefined,
  'stable bandwidth count actor_port_prio': undefined,
  'none fou gue mpls': each('TUNNEL_ENCAP_', 'none fou gue mpls'),
  'unset set inherit': each('VXLAN_DF_', 'unset set inherit'),
  'l2 l3 l3s': each('IPVLAN_MODE_', 'l2 l3 l3s'),
  'disabled check strict': each('MACSEC_VALIDATE_', 'disabled check strict'),
  'off phy mac': each('MACSEC_OFFLOAD_', 'off phy mac'),
  'private vepa bridge passthru source': each(
    'MACVLAN_MODE_',
    'private vepa bridge passthru source',
  ),
  'add del flush set': each('MACVLAN_MACADDR_', 'add del flush set'),
  'disabled listening learning forwarding blocking': each(
    'BR_STATE_',
    'disabled listening learning forwarding blocking',
  ),
  'eui64 none stable_privacy random': each(
    'IN6_ADDR_GEN_MODE_',
    'eui64 none stable_privacy random',
  ),
  'forward blackhole': each('NETKIT_', 'pass drop'),
  'l2 l3': each('NETKIT_', 'l2 l3'),
  'none default': each('NETKIT_SCRUB_', 'none default'),
  'tun tap': each('IFF_', 'tun tap'),
  'fixed inherit': each('VXLAN_LABEL_', 'fixed inherit'),
  'active backup': each('BOND_STATE_', 'active backup'),
  'up going_down down going_back': each('BOND_LINK_', 'up fail down back'),
  'none mpls ip ila ip6 seg6 bpf seg6_local rpl ioam6 xfrm': each(
    'LWTUNNEL_ENCAP_',
    'none mpls ip ila ip6 seg6 bpf seg6_local rpl ioam6 xfrm',
  ),
  'error_active error_warning error_passive bus_off stopped sleeping': each(
    'CAN_STATE_',
    'error_active error_warning error_passive bus_off stopped sleeping',
  ),
  'datagram connected': each('IPOIB_MODE_', 'datagram connected'),
  'gateway relay': each('AMT_MODE_', 'gateway relay'),
  'ggsn sgsn': each('GTP_ROLE_', 'ggsn sgsn'),
  'inline encap auto': each('IOAM6_IPTUNNEL_MODE_', 'inline encap auto'),
  'mpath resilient': each('NEXTHOP_GRP_TYPE_', 'mpath res'),
  'medium high low': each('ICMPV6_ROUTER_PREF_', 'medium high low'),
}
