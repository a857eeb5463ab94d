/**
 * Settings of a stack that are kept and change nothing by themselves: their defaults and limits, as
 * a new namespace of Linux 6.18 has them. A line is `name: default`, with `least..most` where that
 * is less than an int; `text` is not looked into, `ro` cannot be written.
 *
 * Kernel: net/ipv4/sysctl_net_ipv4.c, net/ipv4/route.c, net/ipv6/sysctl_net_ipv6.c,
 * net/ipv6/route.c, net/core/sysctl_net_core.c.
 */
export const KEPT_SYSCTLS: Readonly<Record<string, string>> = {
  'net/core': `
optmem_max: 131072 0..int
rmem_default: ro 212992
rmem_max: ro 212992
somaxconn: 4096 0..int
tstamp_allow_data: 1 0..1
txrehash: 1 0..1
wmem_default: ro 212992
wmem_max: ro 212992
xfrm_acq_expires: 30
xfrm_aevent_etime: 10 0..uint
xfrm_aevent_rseqth: 2 0..uint
xfrm_larval_drop: 1
`,
  'net/ipv4': `
fib_multipath_hash_fields: 7 1..4095
fib_multipath_hash_policy: 0 0..3
fib_multipath_hash_seed: 0 0..uint
fib_multipath_use_neigh: 0 0..1
fib_notify_on_flag_change: 0 0..2
fwmark_reflect: 0 0..255
icmp_echo_enable_probe: 0 0..1
icmp_echo_ignore_all: 0 0..1
icmp_echo_ignore_broadcasts: 1 0..1
icmp_errors_use_inbound_ifaddr: 0 0..1
icmp_ignore_bogus_error_responses: 1 0..1
icmp_msgs_burst: 50 0..int
icmp_msgs_per_sec: 1000 0..int
icmp_ratelimit: 1000 0..ulong
icmp_ratemask: 6168
igmp_link_local_mcast_reports: 1 0..255
igmp_max_memberships: 20
igmp_max_msf: 10
igmp_qrv: 2 1..int
ip_autobind_reuse: 0 0..1
ip_default_ttl: 64 1..255
ip_dynaddr: 0 0..255
ip_early_demux: 1 0..255
ip_forward_update_priority: 1 0..1
ip_forward_use_pmtu: 0 0..255
ip_local_port_range: text 32768 60999
ip_local_reserved_ports: text 
ip_no_pmtu_disc: 0 0..255
ip_nonlocal_bind: 0 0..255
ip_unprivileged_port_start: 1024 0..65535
ipfrag_high_thresh: 4194304 0..ulong
ipfrag_low_thresh: 3145728 0..ulong
ipfrag_max_dist: 64 0..int
ipfrag_time: 30 -8589934..8589934
nexthop_compat_mode: 1 0..1
ping_group_range: text 1 0
raw_l3mdev_accept: 1 0..1
tcp_abort_on_overflow: 0 0..255
tcp_adv_win_scale: 1 -31..31
tcp_allowed_congestion_control: ro reno cubic
tcp_app_win: 31 0..31
tcp_autocorking: 1 0..1
tcp_available_congestion_control: ro reno cubic
tcp_backlog_ack_defer: 1 0..1
tcp_base_mss: 1024
tcp_challenge_ack_limit: 2147483647
tcp_child_ehash_entries: 0 0..16777216
tcp_comp_sack_delay_ns: 1000000 0..ulong
tcp_comp_sack_nr: 44 0..255
tcp_comp_sack_slack_ns: 100000 0..ulong
tcp_congestion_control: text cubic
tcp_dsack: 1 0..255
tcp_early_demux: 1 0..255
tcp_early_retrans: 3 0..4
tcp_ecn: 2 0..2
tcp_ecn_fallback: 1 0..1
tcp_ecn_option: 2 0..2
tcp_ecn_option_beacon: 3 0..3
tcp_fack: 0 0..255
tcp_fastopen: 1
tcp_fastopen_blackhole_timeout_sec: 0 0..int
tcp_fin_timeout: 60 -8589934..8589934
tcp_frto: 2 0..255
tcp_fwmark_accept: 0 0..255
tcp_invalid_ratelimit: 500 0..ulong
tcp_keepalive_intvl: 75 -8589934..8589934
tcp_keepalive_probes: 9 0..255
tcp_keepalive_time: 7200 -8589934..8589934
tcp_l3mdev_accept: 0 0..1
tcp_limit_output_bytes: 4194304
tcp_max_reordering: 300 1..int
tcp_max_syn_backlog: 2048
tcp_max_tw_buckets: 131072
tcp_migrate_req: 0 0..1
tcp_min_rtt_wlen: 300 0..86400
tcp_min_snd_mss: 48 48..65535
tcp_min_tso_segs: 2 1..255
tcp_moderate_rcvbuf: 1 0..255
tcp_mtu_probe_floor: 48 48..65535
tcp_mtu_probing: 0 0..255
tcp_no_metrics_save: 0 0..255
tcp_no_ssthresh_metrics_save: 1 0..1
tcp_notsent_lowat: 4294967295 0..uint
tcp_orphan_retries: 0 0..255
tcp_pacing_ca_ratio: 120 0..1000
tcp_pacing_ss_ratio: 200 0..1000
tcp_pingpong_thresh: 1 1..255
tcp_plb_cong_thresh: 128 0..256
tcp_plb_enabled: 0 0..1
tcp_plb_idle_rehash_rounds: 3 0..31
tcp_plb_rehash_rounds: 12 0..31
tcp_plb_suspend_rto_sec: 60 0..255
tcp_probe_interval: 600 0..17179869
tcp_probe_threshold: 8
tcp_recovery: 1 0..255
tcp_reflect_tos: 0 0..1
tcp_reordering: 3 1..300
tcp_retrans_collapse: 1 0..255
tcp_retries1: 3 0..255
tcp_retries2: 15 0..255
tcp_rfc1337: 0 0..255
tcp_rmem: text 4096 131072 6291456
tcp_rto_max_ms: 120000 1000..120000
tcp_rto_min_us: 200000 1..int
tcp_sack: 1 0..255
tcp_shrink_window: 0 0..1
tcp_slow_start_after_idle: 1 0..255
tcp_stdurg: 0 0..255
tcp_syn_linear_timeouts: 4 0..127
tcp_syn_retries: 6 1..127
tcp_synack_retries: 5 0..255
tcp_syncookies: 1 0..255
tcp_thin_linear_timeouts: 0 0..255
tcp_timestamps: 1 0..255
tcp_tso_rtt_log: 9 0..255
tcp_tso_win_divisor: 3 0..255
tcp_tw_reuse: 2 0..2
tcp_tw_reuse_delay: 1000 1..60000
tcp_window_scaling: 1 0..255
tcp_wmem: text 4096 16384 4194304
tcp_workaround_signed_windows: 0 0..255
udp_child_hash_entries: 0 0..65536
udp_early_demux: 1 0..255
udp_l3mdev_accept: 0 0..1
udp_rmem_min: 4096 1..int
udp_wmem_min: 4096 1..int
xfrm4_gc_thresh: 32768
`,
  'net/ipv4/route': `
min_adv_mss: 256
min_pmtu: 552 68..int
mtu_expires: 600 -8589934..8589934
`,
  'net/ipv6': `
anycast_src_echo_reply: 0 0..255
auto_flowlabels: 1 0..3
bindv6only: 0 0..255
fib_multipath_hash_fields: 7 1..4095
fib_multipath_hash_policy: 0 0..3
fib_notify_on_flag_change: 0 0..2
flowlabel_consistency: 1 0..255
flowlabel_reflect: 0 0..7
flowlabel_state_ranges: 0 0..255
fwmark_reflect: 0 0..255
idgen_delay: 1 -8589934..8589934
idgen_retries: 3
ioam6_id: 16777215 0..16777215
ioam6_id_wide: 72057594037927935 0..72057594037927935
ip6frag_high_thresh: 4194304 0..ulong
ip6frag_low_thresh: 3145728 0..ulong
ip6frag_time: 60 -8589934..8589934
ip_nonlocal_bind: 0 0..255
max_dst_opts_length: 2147483647
max_dst_opts_number: 8
max_hbh_length: 2147483647
max_hbh_opts_number: 8
seg6_flowlabel: 0
xfrm6_gc_thresh: 32768
`,
  'net/ipv6/icmp': `
echo_ignore_all: 0 0..255
echo_ignore_anycast: 0 0..255
echo_ignore_multicast: 0 0..255
error_anycast_as_unicast: 0 0..1
ratelimit: 100 0..ulong
ratemask: text 0-1,3-127
`,
  'net/ipv6/route': `
gc_elasticity: 9
gc_interval: 30 -8589934..8589934
gc_min_interval: 0 -8589934..8589934
gc_min_interval_ms: 0 0..ulong
gc_thresh: 1024
gc_timeout: 60 -8589934..8589934
max_size: 2147483647
min_adv_mss: 1220
mtu_expires: 600 -8589934..8589934
skip_notify_on_dev_down: 0 0..1
`,
  'net/unix': `
max_dgram_qlen: 10
`,
}
