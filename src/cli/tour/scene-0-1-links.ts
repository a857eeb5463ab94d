/** Scene 0.1: the links of this machine beside those of a kernel in this process. */
import { type Link, type Netlink, open } from '../../index.ts'
import { LinkNames } from '../link-names.ts'
import { showBriefLink } from '../link-show.ts'
import { TextPrinter } from '../printer.ts'
import type { Scene, Stage } from './scene.ts'
import { liveName, NLKIT, reasonOf } from './sides.ts'

/** Links of this machine that are shown; it may have thousands. */
const SHOWN = 6

function show(stage: Stage, name: string, links: readonly Link[]): void {
  stage.say(stage.out.style('bold', name))
  const printer = new TextPrinter((style, text) => stage.out.style(style, text))
  const names = new LinkNames()
  names.replace(links)
  for (const link of links.slice(0, SHOWN)) showBriefLink(printer, link, names, true)
  stage.say(...printer.take().trimEnd().split('\n'))
  if (links.length > SHOWN) stage.say(`… and ${links.length - SHOWN} more`)
  stage.say('')
}

/** What every kernel says of its loopback link alike, up or down. */
function loopback(links: readonly Link[]): object {
  const lo = links.find(({ type }) => type === 'loopback')
  const { ifindex, ifname, mtu, address, broadcast, linkmode, group, kind = 'none' } = lo ?? {}
  return { ifindex, ifname, mtu, address, broadcast, linkmode, group, kind }
}

/** Reading needs no privilege, so this machine's links are read where we are. */
async function listLive(stage: Stage): Promise<readonly Link[] | undefined> {
  let nl: Netlink
  try {
    nl = await open({ signal: stage.signal })
  } catch (error) {
    stage.say(`${liveName()}: not shown, ${reasonOf(error)}`, '')
    return undefined
  }
  try {
    return await nl.links.list().toArray()
  } finally {
    await nl.close()
  }
}

export const scene: Scene = {
  number: '0.1',
  title: 'The links of this machine, and of a kernel in this process',
  async run(stage) {
    stage.code('await nl.links.list().toArray()')
    const embedded = stage.sides.find(({ name }) => name === NLKIT)!.nl!
    await embedded.links.add({ ifname: 'veth0', kind: 'veth', peer: { ifname: 'veth1' } })
    await embedded.links.add({ ifname: 'br0', kind: 'bridge' })
    const ours = await embedded.links.list().toArray()
    const live = await listLive(stage)
    if (live) show(stage, liveName(), live)
    show(stage, NLKIT, ours)
    stage.equal(
      `links of ${NLKIT}`,
      ours.map(({ ifname }) => ifname),
      ['lo', 'veth1', 'veth0', 'br0'],
    )
    if (!live) return
    stage.equal('what the kernels say of lo', loopback(ours), loopback(live))
    stage.held('listed by the same line; lo is the same on both')
  },
}
