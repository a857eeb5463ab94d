/** Queueing disciplines as `tc` adds, changes, shows and deletes them, on both kernels. */
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
