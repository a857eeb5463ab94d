/** Nexthop objects, groups and buckets, and the routes that go through them. */
import { script } from './scripts.ts'

script(
  'nexthops and groups come, change and go; routes go along; all refusals',
  `
ip nexthop add id 1 via 10.0.0.2 dev v0
ip nexthop add id 2 via 10.0.0.3 dev v0
ip nexthop add via 10.0.0.4 dev v0
ip nexthop add id 4 blackhole
ip -6 nexthop add id 5 via fd00::2 dev v0
ip -6 nexthop add id 6 via fd00::3 dev v0
ip nexthop add id 7 dev v0
ip -6 nexthop add id 8 dev v0
ip nexthop add id 9 via 10.0.0.2 fdb
ip -6 nexthop add id 90 blackhole
ip nexthop add id 10 group 1/2
ip nexthop add id 11 group 1,10/2,300
ip -6 nexthop add id 12 group 5/6
ip nexthop add id 13 group 1/2 type resilient buckets 8 idle_timer 60
ip nexthop add id 14 group 4
ip nexthop add id 15 group 4/1
ip nexthop add id 16 group 10/1
ip nexthop add id 17 group 99
ip nexthop add id 18 group 1/1
ip nexthop add id 19 group 9 fdb
ip nexthop add id 20 group 1 fdb
ip nexthop add id 21 group 9
ip nexthop add id 22 via 10.1.0.2 dev v0
ip nexthop add id 23 via 10.1.0.2 dev v0 onlink
ip nexthop add id 24 dev v0 onlink
ip nexthop add id 25 via 10.0.0.2 dev nope
ip nexthop add id 1 via 10.0.0.9 dev v0
ip nexthop add id 26 via 10.0.0.2 dev v0 encap ip id 3 dst 1.1.1.1
ip nexthop add id 27 group 1/2 type resilient
ip nexthop show
ip -d nexthop show
ip nexthop show id 10
ip nexthop show id 1000
ip nexthop show dev v0
ip nexthop show groups
ip nexthop show fdb
ip nexthop show master v0
ip nexthop bucket show
ip nexthop bucket show id 13
ip nexthop bucket show id 13 nhid 1
ip nexthop bucket get id 13 index 3
ip nexthop bucket get id 13 index 30
ip nexthop bucket get id 10 index 3
ip nexthop bucket get id 1 index 3
ip route add 10.10.0.0/24 nhid 1
ip route add 10.11.0.0/24 nhid 10
ip route add 10.12.0.0/24 nhid 13
ip route add 10.13.0.0/24 nhid 4
ip route add 10.14.0.0/24 nhid 5
ip route add 10.15.0.0/24 nhid 9
ip route add 10.16.0.0/24 nhid 99
ip route add 10.17.0.0/24 nhid 1 via 10.0.0.5
ip route add 10.18.0.0/24 nhid 19
ip route add 10.19.0.0/24 nhid 11
ip route add 10.10.0.0/24 nhid 1
ip route append 10.10.0.0/24 nhid 2
ip -6 route add fd10::/64 nhid 5
ip -6 route add fd11::/64 nhid 12
ip -6 route add fd12::/64 nhid 1
ip -6 route add fd13::/64 nhid 90
ip -6 route add fd14::/64 nhid 10
ip -6 route add fd15::/64 nhid 99
ip -6 route add fd10::/64 nhid 5
ip -6 route append fd10::/64 nhid 6
ip -6 route replace fd16::/64 nhid 8
ip route show
ip -6 route show
ip -d route show
ip route get 10.10.0.5
ip route get 10.13.0.5
ip route get 10.14.0.5
ip -6 route get fd10::5
ip -6 route get fd13::5
ip route get fibmatch 10.11.0.5
ip -6 route get fibmatch fd11::5
ip nexthop replace id 1 via 10.0.0.20 dev v0
ip nexthop replace id 5 via fd00::20 dev v0
ip nexthop replace id 10 group 1/2/3
ip nexthop replace id 1 group 2
ip nexthop replace id 10 via 10.0.0.2 dev v0
ip nexthop replace id 1 blackhole
ip nexthop replace id 13 group 1/2/3
ip nexthop replace id 13 group 1/2/3 type resilient
ip nexthop replace id 13 group 1/2/3 type resilient buckets 16
ip nexthop bucket show id 13
ip nexthop change id 77 via 10.0.0.2 dev v0
ip nexthop replace via 10.0.0.2 dev v0
ip route show
ip -6 route show
ip nexthop del id 2
ip nexthop show
ip nexthop del id 2
ip route show
ip nexthop del id 1
ip route show
ip route del 10.13.0.0/24 nhid 4
ip route del 10.14.0.0/24 via 10.0.0.9
ip route del 10.14.0.0/24 nhid 1
ip -6 route del fd10::/64 nhid 6
ip -6 route del fd10::/64
ip nexthop del id 12
ip nexthop flush
ip nexthop show
ip route show
ip -6 route show
ip nexthop add id 1 via 10.0.0.2 dev v0
ip nexthop add id 2 via 10.0.0.3 dev v0
ip nexthop add id 3 group 1/2
ip -6 nexthop add id 5 via fd00::2 dev v0
ip route add 10.10.0.0/24 nhid 3
ip -6 route add fd10::/64 nhid 5
ip link set v0 down
ip nexthop show
ip route show
ip -6 route show
ip link set v0 up
ip nexthop add id 1 via 10.0.0.2 dev v0
ip link set v1 down
ip nexthop show
ip nexthop add id 1 via 10.0.0.2 dev v0
`,
  { monitor: 'nexthop route', least: 400 },
)
