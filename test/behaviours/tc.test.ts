/** Disciplines, classes, filters, chains and actions as `tc` manages them, on both kernels. */
import { script } from './scripts.ts'

script(
  'disciplines that hold no others: defaults, limits, replacement, refusals',
  `
tc qdisc show dev v0
tc qdisc add dev v0 root handle 1: pfifo limit 50
tc qdisc show dev v0
tc qdisc replace dev v0 root handle 1: pfifo limit 60
tc qdisc change dev v0 root handle 1: pfifo limit 70
tc qdisc add dev v0 root pfifo
tc qdisc replace dev v0 root handle 3: bfifo limit 5000
tc qdisc show dev v0
ip link show v0
tc qdisc del dev v0 root
tc qdisc del dev v0 root
tc qdisc add dev v0 root handle 1: tbf rate 1mbit burst 10k latency 50ms
tc qdisc show dev v0
tc qdisc add dev v0 ingress
tc qdisc show dev v0
tc qdisc add dev v0 ingress
tc qdisc add dev v0 clsact
tc qdisc del dev v0 ingress
tc qdisc add dev v0 clsact
tc qdisc show dev v0
tc qdisc del dev v0 clsact
tc qdisc add dev v0 root nosuch
tc qdisc add dev v0 parent 9:1 pfifo
tc qdisc del dev v0 handle 7: root
tc qdisc del dev v0 root
tc qdisc add dev nope root pfifo
tc qdisc show dev v0
`,
  { least: 60 },
)

script(
  'classes of htb, filters of u32, disciplines below',
  `
ip link add w0 type veth peer name w1
tc qdisc add dev w0 root handle 1: htb default 10
tc class add dev w0 parent 1: classid 1:1 htb rate 10mbit
tc class add dev w0 parent 1:1 classid 1:10 htb rate 5mbit ceil 10mbit
tc class add dev w0 parent 1:1 classid 1:11 htb rate 5mbit ceil 10mbit prio 3 burst 20k
tc class add dev w0 parent 1: classid 1:2 htb rate 100kbit
tc class add dev w0 parent 1:77 classid 1:3 htb rate 100kbit
tc class add dev w0 parent 2: classid 1:4 htb rate 100kbit
tc class add dev w0 parent 9: classid 9:4 htb rate 100kbit
tc class change dev w0 classid 1:11 htb rate 6mbit ceil 10mbit
tc class replace dev w0 parent 1:1 classid 1:12 htb rate 6gbit ceil 100gbit
tc class add dev w0 parent 1:1 classid 1:10 htb rate 5mbit
tc qdisc add dev w0 parent 1:10 handle 10: pfifo limit 7
tc qdisc add dev w0 parent 1:1 handle 11: pfifo limit 7
tc qdisc add dev w0 parent 1:11 handle 12: tbf rate 1mbit burst 10k latency 50ms
tc -d qdisc show dev w0
tc -d class show dev w0
tc -s class show dev w0
tc -j class show dev w0
tc class show dev w0 parent 1:
tc qdisc show dev w0 invisible
tc filter add dev w0 parent 1: protocol ip prio 1 u32 match ip dst 10.0.0.1/32 flowid 1:10
tc filter add dev w0 parent 1: protocol ip prio 1 u32 match ip dst 10.0.0.2/32 flowid 1:11
tc filter add dev w0 parent 1: protocol ip u32 match ip sport 80 0xffff classid 1:11
tc filter add dev w0 parent 1: protocol ipv6 u32 match u32 0 0 classid 1:11
tc filter add dev w0 parent 1: protocol ip prio 1 handle 1: u32 divisor 256
tc filter add dev w0 parent 1: protocol ip prio 1 u32 ht 1:5: match ip dst 10.0.0.3/32 flowid 1:11
tc filter add dev w0 parent 1: protocol ip prio 1 u32 ht 800: match ip dst 10.0.0.0/24 link 1: hashkey mask 0xff at 16
tc filter show dev w0
tc -d filter show dev w0
tc -j filter show dev w0
tc filter show dev w0 parent 1: prio 1
tc class del dev w0 classid 1:10
tc filter del dev w0 parent 1: prio 1
tc filter del dev w0 parent 1: prio 9
tc filter del dev w0 parent 1: protocol ip prio 49152 handle 801::800 u32
tc class del dev w0 classid 1:10
tc class del dev w0 classid 1:1
tc filter del dev w0 parent 1:
tc class show dev w0
tc qdisc show dev w0
tc qdisc del dev w0 parent 1:11
tc qdisc del dev w0 parent 1:11
tc qdisc del dev w0 root
tc qdisc show dev w0
tc filter show dev w0
`,
  { least: 150 },
)

// It sleeps where Linux lets actions go in a work queue behind a grace period, of which nobody hears.
script(
  'filters and chains of what comes in and goes out, actions that they share',
  `
ip link add w0 type veth peer name w1
tc qdisc add dev w0 clsact
tc filter add dev w0 ingress protocol ip prio 5 u32 match u32 0 0 action mirred egress mirror dev w1
tc filter add dev w0 egress protocol all u32 match u32 0 0 action mirred egress redirect dev w1
tc filter show dev w0 ingress
tc filter show dev w0 egress
tc -j filter show dev w0 egress
tc filter add dev w0 ingress protocol ip prio 5 nosuch
tc filter add dev w0 ingress protocol ipv6 prio 5 u32 match u32 0 0
tc filter add dev w1 ingress protocol ip u32 match u32 0 0
tc chain add dev w0 ingress chain 5
tc chain show dev w0 ingress
tc chain add dev w0 ingress chain 5
tc filter add dev w0 ingress chain 7 protocol ip u32 match u32 0 0 action mirred egress mirror dev w1 index 9
tc filter add dev w0 ingress chain 7 protocol ip u32 match u32 1 1 action mirred index 9
tc filter add dev w0 ingress chain 7 protocol ip u32 match u32 1 1 action mirred index 10
tc chain show dev w0 ingress
tc filter show dev w0 ingress chain 7
tc filter del dev w0 ingress chain 7
tc chain show dev w0 ingress
tc chain del dev w0 ingress chain 5
tc chain del dev w0 ingress chain 9
tc actions add action mirred egress mirror dev w1 index 8
tc actions add action mirred egress mirror dev w1 index 8
tc actions add action mirred egress mirror dev nope
tc actions add action nosuch
tc actions replace action mirred ingress mirror dev w0 index 8
sleep 0.2
tc actions ls action mirred
tc actions get action mirred index 8
tc actions get action mirred index 80
tc actions del action mirred index 8
tc actions del action mirred index 8
tc actions del action mirred index 1
sleep 0.2
tc actions flush action mirred
tc filter del dev w0 egress
sleep 0.2
tc actions ls action mirred
tc qdisc del dev w0 clsact
sleep 0.2
tc actions ls action mirred
tc qdisc add dev w0 ingress_block 7 ingress
tc qdisc show dev w0
tc filter add block 7 protocol ip u32 match u32 0 0 action mirred egress mirror dev w1
tc filter show block 7
tc filter add dev w0 ingress protocol ip u32 match u32 0 0
tc chain add block 7 chain 3
tc chain show block 7
tc filter show block 8
tc qdisc del dev w0 ingress
tc filter show block 7
`,
  { least: 100 },
)
