/** Scene 0.2: the same four lines on both kernels, and what each of them announces. */
import type { Netlink } from '../../index.ts'
import type { Scene, Stage } from './scene.ts'
import { isIpv6, Transcript } from './transcript.ts'

/** The lines that are shown, and run. */
const SCRIPT: readonly (readonly [code: string, run: (nl: Netlink) => Promise<void>])[] = [
  [
    `await nl.links.add({ ifname: 'veth0', kind: 'veth', peer: { ifname: 'veth1' } })`,
    (nl) => nl.links.add({ ifname: 'veth0', kind: 'veth', peer: { ifname: 'veth1' } }),
  ],
  [
    `await nl.addresses.add({ link: 'veth0', address: '10.0.0.1/24' })`,
    (nl) => nl.addresses.add({ link: 'veth0', address: '10.0.0.1/24' }),
  ],
  [`await nl.links.set('veth1', { up: true })`, (nl) => nl.links.set('veth1', { up: true })],
  [`await nl.links.set('veth0', { up: true })`, (nl) => nl.links.set('veth0', { up: true })],
]

/** Its last event is the sign that nothing more is to come. */
const LAST_MTU = 1400

/** Runs the script while it watches; ends when both links work and the last change was heard. */
async function record(nl: Netlink, signal: AbortSignal): Promise<Transcript> {
  const watch = nl.watch(['link', 'addr', 'route'], { signal })
  await watch.ready
  for (const [, run] of SCRIPT) await run(nl)
  const transcript = new Transcript()
  const working = new Set<string>()
  for await (const event of watch) {
    if (event.type === 'link' && event.link.mtu === LAST_MTU) break
    if (isIpv6(event)) continue
    transcript.add(event)
    if (event.type !== 'link' || event.link.operstate !== 'up') continue
    working.add(event.link.ifname)
    if (working.size === 2) await nl.links.set('veth0', { mtu: LAST_MTU })
  }
  return transcript
}

function show(stage: Stage, names: readonly string[], transcripts: readonly string[][]): void {
  const length = Math.max(...transcripts.map((lines) => lines.length))
  const rows = Array.from({ length }, (_, at) => transcripts.map((lines) => lines[at] ?? ''))
  stage.columns(names, rows)
}

export const scene: Scene = {
  number: '0.2',
  title: 'The same four lines change both; what the kernels announce',
  async run(stage) {
    stage.code(...SCRIPT.map(([code]) => code))
    const able = stage.sides.filter(({ nl }) => nl !== undefined)
    for (const { name, reason } of stage.sides)
      if (reason !== undefined) stage.say(`${name}: not shown, ${reason}`, '')
    const transcripts: Transcript[] = []
    for (const { nl } of able) transcripts.push(await record(nl!, stage.signal))
    const names = able.map(({ name }) => name)
    const [first, second] = transcripts.map((transcript) => transcript.entries())
    const both = [first, second].filter((entries) => entries !== undefined)
    show(
      stage,
      names,
      both.map((entries) => entries.map(({ line }) => line)),
    )
    for (const [at, entries] of both.entries())
      stage.equal(
        `what ${names[at]} said last of the links`,
        entries.slice(-2).map(({ line }) => line),
        ['~ link veth1 state up', '~ link veth0 state up'],
      )
    if (!first || !second) return
    const whole = [first, second].map((entries) => entries.map(({ json }) => json))
    stage.equalLists(`what ${names[1]} announced`, whole[1]!, whole[0]!)
    stage.held(`${first.length} events, every member of them: identical`)
  },
}
