/** Programs and modes that are run natively and behind the shim: what they say must not differ. */

const PYTHON = '/usr/bin/python3'

/** A command of words, or a program with one long argument. */
const words = (line: string): string[] => line.split(' ')

const LINES = `
ip link show
ip -d -s link show
ip -br link
ip -s -s link
ip -j link
ip addr
ip -j addr
ip -4 -o addr
ip route
ip -j route
ip -6 route show table all
ip route get 10.9.1.1
ip rule
ip -6 rule
ip neigh
ip -s neigh
ip netconf
ip nexthop
ip ntable
ip token
ip addrlabel
ip mroute
ip tcp_metrics
ip mptcp limits
ip xfrm state
ip xfrm policy
ip l2tp show tunnel
ip macsec show
ip link show dev nosuch
ip link set nosuch up
ip link add type nosuch
ip link add br0 type bridge
ip addr add 300.1.2.3/24 dev br0
ip addr del 10.9.9.9/24 dev br0
ip route add 10.1.1.0/24 via 192.0.2.1
bridge link
bridge -d link
bridge vlan
bridge fdb
bridge -j fdb
bridge mdb
tc qdisc
tc -s qdisc show dev ve0
tc class show dev ve0
tc filter show dev ve0
tc chain show dev ve0
tc actions ls action gact
ss -tan
ss -xan
ss -lun
genl ctrl list
genl ctrl get name nlctrl
genl ctrl policy name nlctrl
ethtool lo
ethtool ve0
ethtool -k ve0
ethtool -c ve0
ethtool --json -c ve0
ethtool -g ve0
ethtool -l ve0
ethtool -a ve0
ethtool -S ve0
ethtool -i ve0
ethtool -T ve0
ethtool -P ve0
ethtool --show-eee ve0
ethtool nosuch
iw dev
iw list
iw reg get
wg show
nl-link-list
nl-link-list --details
nl-link-stats ve0
nl-link-name2ifindex ve0
nl-link-ifindex2name 3
nl-addr-list
nl-route-list
nl-route-get 10.9.1.1
nl-neigh-list
nl-neightbl-list
nl-rule-list
nl-qdisc-list
nl-fib-lookup 10.9.1.1
nl-classid-lookup root
genl-ctrl-list
nf-ct-list
nft list ruleset
nft -j list tables
nft list table inet nosuch
nft delete table ip nosuch
nft -a list chains
conntrack -L
conntrack -C
conntrack -S
`

export const PROGRAMS: readonly (readonly string[])[] = [
  ...LINES.trim().split('\n').map(words),
  [
    PYTHON,
    '-c',
    `from pyroute2 import IPRoute
with IPRoute() as ip:
    for link in ip.get_links(): print(link.get_attr('IFLA_IFNAME'), link['index'], link['state'])
    for address in ip.get_addr(): print(address.get_attr('IFA_ADDRESS'))
    print(len(ip.get_routes()), ip.link_lookup(ifname='br0'))`,
  ],
  [
    PYTHON,
    '-c',
    `from pyroute2 import NDB
with NDB() as ndb: print(sorted(each.ifname for each in ndb.interfaces.dump()))`,
  ],
  [
    PYTHON,
    '-c',
    `from pyroute2.netlink.generic import GenericNetlinkSocket
from pyroute2.netlink import genlmsg
sock = GenericNetlinkSocket()
sock.bind('ethtool', genlmsg)
print(sock.prid, sock.mcast_groups)`,
  ],
  [
    PYTHON,
    '-c',
    `import socket
print(socket.if_nameindex(), socket.if_nametoindex('ve0'), socket.if_indextoname(1))`,
  ],
  [
    PYTHON,
    '-c',
    `import fcntl, socket, struct
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for request in (0x8913, 0x8915, 0x8919, 0x891b, 0x8921, 0x8927, 0x8933, 0x8942, 0x8970):
    print(hex(request), fcntl.ioctl(sock, request, struct.pack('16s24x', b'br0')))`,
  ],
  [process.execPath, '-e', 'console.log(JSON.stringify(os.networkInterfaces()))'],
]
