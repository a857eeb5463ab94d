/** Routes and rules as `ip` adds, shows, looks up and deletes them, on both kernels. */
import { script } from './scripts.ts'

script(
  'IPv4 routes: types, scopes, tos, metrics, multipath, look-ups, refusals, links that go',
  `
ip route add 192.168.0.0/24 via 10.0.0.2
ip route add 192.168.1.0/24 via 10.0.0.2 dev v0 metric 100 proto static mtu 1400 advmss 1300 rtt 10ms window 5000
ip route add 192.168.1.0/24 via 10.0.0.2 dev v0 metric 100
ip route add 192.168.2.0/24 nexthop via 10.0.0.2 dev v0 weight 1 nexthop via 10.0.0.3 dev v0 weight 5
ip route add 192.168.3.0/24 via inet6 fd00::2 dev v0
ip route add 192.168.3.128/25 via inet6 fe80::2 dev v0
ip route add 192.168.4.0/24 dev v0 scope link src 10.0.0.1
ip route add 192.168.5.0/24 dev v0 src 1.2.3.4
ip route add blackhole 192.168.6.0/24
ip route add unreachable 192.168.7.0/24
ip route add prohibit 192.168.8.0/24
ip route add throw 192.168.9.0/24 table 100
ip route add nat 192.168.9.0/24 via 10.0.0.2
ip route add local 192.168.10.1 dev v0
ip route add broadcast 192.168.10.255 dev v0
ip route add anycast 192.168.11.1 dev v0
ip route add multicast 239.0.0.0/8 dev v0
ip route add 192.168.12.0/24 via 10.0.0.2 tos 0x10
ip route add 192.168.12.0/24 via 10.0.0.3 tos 0x08
ip route add 192.168.12.0/24 via 10.0.0.4 tos 0x11
ip route add 192.168.13.0/24 via 10.0.0.2 table 1000
ip route add 192.168.13.0/24 via 10.0.0.2 table 4294967295
ip route add 192.168.14.0/24 via 10.0.0.2 onlink
ip route add 192.168.14.0/24 via 172.16.0.1 dev v0 onlink
ip route add 192.168.15.0/24 via 172.16.0.1
ip route add 192.168.16.0/24 via 10.0.0.2 realm 5
ip route add 192.168.16.0/25 via 10.0.0.2 realm foo/5
ip route append 192.168.0.0/24 via 10.0.0.3
ip route prepend 192.168.0.0/24 via 10.0.0.4
ip route append 192.168.0.0/24 via 10.0.0.4
ip route change 192.168.0.0/24 via 10.0.0.5
ip route replace 192.168.0.0/24 via 10.0.0.6 metric 50
ip route change 192.168.99.0/24 via 10.0.0.5
ip route test 192.168.0.0/24 via 10.0.0.5
ip route replace 192.168.98.0/24 via 10.0.0.5
ip route show
ip route show table all
ip -d route show
ip route show table 1000
ip route show table 5000
ip route show root 192.168.0.0/16
ip route show match 192.168.1.5
ip route show exact 192.168.1.0/24
ip route show proto static
ip route show scope link
ip route show type blackhole
ip route show dev v0
ip route show via 10.0.0.2
ip route show src 10.0.0.1
ip route show tos 0x10
ip route get 192.168.0.5
ip route get 192.168.1.5
ip route get 192.168.3.5
ip route get 192.168.6.5
ip route get 192.168.7.5
ip route get 192.168.8.5
ip route get 192.168.12.5 tos 0x10
ip route get 192.168.12.5 tos 0x08
ip route get 192.168.12.5
ip route get 192.168.10.1
ip route get 10.0.0.1
ip route get 10.0.0.255
ip route get 255.255.255.255
ip route get 224.0.0.1
ip route get 8.8.8.8
ip route get 127.0.0.1
ip route get 10.0.0.2 from 10.0.0.1
ip route get 10.0.0.2 from 10.0.0.1 iif v0
ip route get 10.0.0.2 from 10.0.0.9 iif v0
ip route get 10.0.0.1 from 10.0.0.9 iif v0
ip route get 10.0.0.2 oif v0
ip route get 8.8.8.8 oif v0
ip route get 10.0.0.2 oif lo
ip route get 10.0.0.2 mark 7 uid 1000
ip route get 10.0.0.2 ipproto tcp sport 5 dport 80
ip route get 10.0.0.2 ipproto sctp
ip route get fibmatch 192.168.1.5
ip route get fibmatch 10.0.0.1
ip route get fibmatch 8.8.8.8
ip route get fibmatch 192.168.6.5
ip route get 192.168.1.5 connected
ip route get 192.168.1.5 notify
ip route get 192.168.1.5 vrf foo
ip route del 192.168.0.0/24 via 10.0.0.99
ip route del 192.168.0.0/24
ip route del 192.168.0.0/24 metric 50
ip route del 192.168.1.0/24 mtu 1400
ip route del 192.168.2.0/24 nexthop via 10.0.0.2 dev v0 weight 1
ip route del 192.168.3.0/24 via inet6 fd00::2
ip route del 192.168.13.0/24 table 1000
ip route del 192.168.13.0/24 table 1001
ip route flush 192.168.12.0/24
ip route flush root 192.168.16.0/24
ip route flush proto static
ip route flush table 100
ip route flush cache
ip route show table all
ip route add 1.0.0.0/33 via 10.0.0.2
ip route add 1.0.0.1/8 via 10.0.0.2
ip route add 0.0.0.0/0 via 10.0.0.2
ip route add default via 10.0.0.3
ip route add default via 10.0.0.3 metric 10
ip route add default nexthop via 10.0.0.3 nexthop via 10.0.0.9 onlink dev v0
ip route add 7.0.0.0/8 scope global dev v0
ip route add 7.0.0.0/8 scope host dev v0
ip route add 7.1.0.0/16 scope host via 10.0.0.2
ip route add 7.2.0.0/16 scope nowhere dev v0
ip route add 7.3.0.0/16 via 10.0.0.1
ip route add 7.4.0.0/16 via 10.0.0.255
ip route add 7.5.0.0/16 via 224.0.0.1
ip route add 7.6.0.0/16 via 0.0.0.0 dev v0
ip route add 7.7.0.0/16 dev v0 congctl cubic
ip route add 7.8.0.0/16 dev v0 congctl nope
ip route add 7.9.0.0/16 dev v0 features ecn
ip route add 7.10.0.0/16 dev v0 quickack 1 initcwnd 20 initrwnd 30 rto_min 50ms hoplimit 33 cwnd 40 reordering 5 ssthresh 90 rttvar 5ms
ip route add 7.11.0.0/16 dev v0 mtu lock 1300
ip route add 7.12.0.0/16 dev v0 fastopen_no_cookie 1
ip route add 7.13.0.0/16 dev v0 ttl-propagate enabled
ip route show
ip link set v1 down
ip route show
ip route get 7.7.0.1
ip link set v1 up
ip route show
ip addr add 10.0.0.7/24 dev v0
ip route add 8.0.0.0/8 dev v0 src 10.0.0.7
ip addr del 10.0.0.7/24 dev v0
ip route show
ip link set v0 down
ip route show table all
ip link set v0 up
ip route show table all
`,
  { monitor: 'route', least: 500 },
)

script(
  'IPv6 routes: by source, preferences, ends, multipath, look-ups, refusals, links that go',
  `
ip -6 route add fd01::/64 via fd00::2
ip -6 route add fd02::/64 via fd00::2 dev v0 metric 100 proto static mtu 1400 advmss 1300
ip -6 route add fd02::/64 via fd00::2 dev v0 metric 100
ip -6 route add fd03::/64 nexthop via fd00::2 dev v0 weight 1 nexthop via fd00::3 dev v0 weight 5
ip -6 route add fd04::/64 dev v0 src fd00::1
ip -6 route add fd05::/64 dev v0 src fd99::1
ip -6 route add blackhole fd06::/64
ip -6 route add unreachable fd07::/64
ip -6 route add prohibit fd08::/64
ip -6 route add throw fd09::/64 table 100
ip -6 route add unreachable fd0a::/64 dev lo
ip -6 route add local fd0b::1 dev v0
ip -6 route add anycast fd0c::1 dev v0
ip -6 route add multicast ff05::/16 dev v0
ip -6 route add fd0d::/64 via fd00::2 table 1000
ip -6 route add fd0e::/64 via fdaa::1 dev v0 onlink
ip -6 route add fd0f::/64 via fdaa::1
ip -6 route add fd0f::/64 via fe80::1
ip -6 route add fd0f::/64 via fe80::1 dev v0
ip -6 route add fd10::/64 from fd20::/64 via fd00::2
ip -6 route add fd11::/64 via fd00::2 pref high
ip -6 route add fd12::/64 via fd00::2 pref low
ip -6 route add fd13::/64 via fd00::2 expires 100
ip -6 route append fd01::/64 via fd00::3
ip -6 route prepend fd01::/64 via fd00::4
ip -6 route append fd01::/64 via fd00::4
ip -6 route change fd01::/64 via fd00::5
ip -6 route replace fd01::/64 via fd00::6 metric 50
ip -6 route change fd98::/64 via fd00::5
ip -6 route test fd01::/64 via fd00::5
ip -6 route replace fd97::/64 via fd00::5
ip -6 route add fd01::/64 dev v0
ip -6 route add fd01::/64 dev v0 metric 7
ip -6 route add fd01::/64 via fd00::1
ip -6 route add fd14::/64 via ff02::1 dev v0
ip -6 route add fd14::/64 via fd00::2 dev lo
ip -6 route add fd15::/129 via fd00::2
ip -6 route add fd15::1/64 via fd00::2
ip -6 route add fd16::/64 via inet 10.0.0.2
ip -6 route add fd17::/64 dev lo
ip -6 route add default via fd00::2
ip -6 route add default via fd00::3 metric 10
ip -6 route add default nexthop via fd00::2 nexthop via fd00::9
ip -6 route show
ip -6 route show table all
ip -d -6 route show
ip -6 route show table 1000
ip -6 route show table 5000
ip -6 route show root fd00::/8
ip -6 route show match fd01::1
ip -6 route show exact fd01::/64
ip -6 route show proto static
ip -6 route show dev v0
ip -6 route show via fd00::2
ip -6 route show type blackhole
ip -6 route get fd01::5
ip -6 route get fd02::5
ip -6 route get fd06::5
ip -6 route get fd07::5
ip -6 route get fd08::5
ip -6 route get fd0b::1
ip -6 route get fd0c::1
ip -6 route get fd00::1
ip -6 route get ::1
ip -6 route get ff02::1
ip -6 route get ff02::1 oif v0
ip -6 route get fe80::9
ip -6 route get fe80::9 oif v0
ip -6 route get fd01::5 from fd00::1
ip -6 route get fd01::5 from fd00::1 iif v0
ip -6 route get fd01::5 oif v0
ip -6 route get fd01::5 oif lo
ip -6 route get fd01::5 mark 7 uid 1000
ip -6 route get fd01::5 ipproto tcp sport 5 dport 80
ip -6 route get fd01::5 ipproto sctp
ip -6 route get fibmatch fd01::5
ip -6 route get fibmatch fd06::5
ip -6 route get 2001::1
ip -6 route get fd13::1
ip -6 route del fd01::/64 via fd00::99
ip -6 route del fd01::/64
ip -6 route del fd01::/64 metric 50
ip -6 route del fd03::/64 nexthop via fd00::2 dev v0
ip -6 route del fd03::/64
ip -6 route del fd0d::/64 table 1000
ip -6 route del fd0d::/64 table 1001
ip -6 route del default
ip -6 route del default
ip -6 route del default
ip -6 route del default
ip -6 route flush root fd00::/12 proto static
ip -6 route flush table 100
ip -6 route flush cache
ip -6 route add fd30::/64 dev v0 congctl cubic
ip -6 route add fd31::/64 dev v0 congctl nope
ip -6 route add fd32::/64 dev v0 quickack 1 initcwnd 20 initrwnd 30 rto_min 50ms hoplimit 33
ip -6 route add fd33::/64 dev v0 mtu lock 1300
ip -6 route show
ip link set v1 down
ip -6 route show table all
ip link set v1 up
ip -6 route show table all
ip -6 addr add fd77::7/64 dev v0 nodad
ip -6 route add fd78::/64 dev v0 src fd77::7
ip -6 addr del fd77::7/64 dev v0
ip -6 route show
ip link set v0 down
ip -6 route show table all
ip link set v0 up
ip -6 route show table all
`,
  { monitor: 'route', least: 400 },
)

script(
  'rules: selectors, actions, look-ups through them, names that come and go',
  `
ip rule add from 10.1.0.0/16 table 100
ip rule add to 10.2.0.0/16 table 101 pref 50
ip rule add from 10.3.0.0/16 to 10.4.0.0/16 lookup 102 priority 60
ip rule add iif v0 table 103
ip rule add oif v0 table 104
ip rule add iif nope table 105
ip rule add oif nope2 table 105
ip rule add fwmark 1 table 106
ip rule add fwmark 0x10/0xf0 table 106
ip rule add tos 0x10 table 107
ip rule add tos 0x11 table 107
ip rule add dsfield 0x08 table 107
ip rule add uidrange 1000-2000 table 108
ip rule add uidrange 2000-1000 table 108
ip rule add ipproto tcp table 109
ip rule add sport 100-200 table 110
ip rule add dport 80 table 110
ip rule add ipproto udp sport 5 dport 6-7 table 110
ip rule add sport 200-100 table 110
ip rule add blackhole from 10.5.0.0/16
ip rule add unreachable from 10.6.0.0/16
ip rule add prohibit from 10.7.0.0/16
ip rule add nat 10.0.0.9 from 10.8.0.0/16
ip rule add goto 1000 pref 900
ip rule add goto 800 pref 900
ip rule add from 10.9.0.0/16 nop pref 1000
ip rule add pref 1100 suppress_prefixlength 8 table main
ip rule add pref 1101 suppress_ifgroup 5 table main
ip rule add pref 1102 l3mdev
ip rule add pref 1103 l3mdev table 5
ip rule add pref 1104 protocol static table 111
ip rule add pref 1105 not from 10.10.0.0/16 table 112
ip rule add pref 1106 realms 5 table 113
ip rule add pref 1107 tun_id 7 table 113
ip rule add pref 1108 table 70000
ip rule add from 10.1.0.0/16 table 100
ip rule add pref 0 table 77
ip rule add pref 4000000000 table 77
ip rule add table 78
ip rule add pref 1200
ip rule add
ip -6 rule add from fd01::/64 table 100
ip -6 rule add to fd02::/64 iif v0 table 101 pref 10
ip -6 rule add goto 500 pref 20
ip -6 rule add pref 30 table 0
ip rule show
ip -d rule show
ip -6 rule show
ip rule list table 100
ip rule list from 10.1.0.0/16
ip rule list fwmark 1
ip rule list iif v0
ip rule list pref 50
ip rule list uidrange 1000-2000
ip rule list ipproto tcp
ip rule list tos 0x10
ip rule list l3mdev
ip rule list protocol static
ip route add 10.50.0.0/16 via 10.0.0.2 table 100
ip route get 10.50.0.1
ip route get 10.50.0.1 from 10.0.0.1
ip rule add from 10.0.0.1 table 100 pref 5
ip route get 10.50.0.1 from 10.0.0.1
ip rule add ipproto tcp dport 80 table 100 pref 6
ip route get 10.50.0.1 ipproto tcp dport 80
ip route get 10.50.0.1 ipproto tcp dport 81
ip rule add fwmark 5 table 100 pref 7
ip route get 10.50.0.1 mark 5
ip rule add uidrange 5000-6000 table 100 pref 8
ip route get 10.50.0.1 uid 5500
ip rule add to 10.60.0.0/16 prohibit pref 9
ip route get 10.60.0.1
ip rule add to 10.61.0.0/16 unreachable pref 9
ip route get 10.61.0.1
ip rule add to 10.62.0.0/16 blackhole pref 9
ip route get 10.62.0.1
ip rule add to 10.63.0.0/16 goto 20 pref 9
ip route get 10.63.0.1
ip rule add pref 20 to 10.63.0.0/16 table 100
ip route add 10.63.0.0/16 via 10.0.0.9 table 100
ip route get 10.63.0.1
ip rule add pref 21 suppress_prefixlength 0 table main
ip route add default via 10.0.0.50
ip route get 99.0.0.1
ip rule del pref 32766
ip route get 99.0.0.1
ip route get 10.0.0.5
ip rule del pref 50
ip rule del pref 51
ip rule del from 10.1.0.0/16
ip rule del from 10.1.0.0/16 table 99
ip rule del fwmark 1
ip rule del table 106
ip rule del goto 1000
ip rule del pref 1000
ip rule del
ip rule del pref 0
ip rule show
ip link add nope type ifb
ip rule show
ip link set nope name nope2
ip rule show
ip link del nope2
ip rule show
ip rule flush
ip rule show
ip -6 rule flush
ip -6 rule show
ip rule add pref 32766 table main
ip route flush cache
`,
  { monitor: 'rule route', least: 300 },
)
