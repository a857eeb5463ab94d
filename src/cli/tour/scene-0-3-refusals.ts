/** Scene 0.3: what both kernels refuse, in the same words and at the same place. */
import { rtNeigh } from '../../families/rt-neigh.ts'
import { AF_INET } from '../../families/rtnetlink.ts'
import { EncodeError, isNetlinkError, type Netlink, type NetlinkError } from '../../index.ts'
import { type Scene, SceneFailure } from './scene.ts'

interface Attempt {
  readonly code: string
  readonly errno: string
  run(nl: Netlink): Promise<unknown>
}

const NEIGHBOUR = { family: AF_INET, ifindex: 1, dst: '10.0.0.9' }

const ATTEMPTS: readonly Attempt[] = [
  {
    code: `nl.links.set('veth0', { mtu: 65536 })`,
    errno: 'EINVAL',
    run: (nl) => nl.links.set('veth0', { mtu: 65536 }),
  },
  {
    code: `nl.links.set('veht0', { up: true })`,
    errno: 'ENODEV',
    run: (nl) => nl.links.set('veht0', { up: true }),
  },
  {
    code: `nl.links.add({ ifname: 'veth0', kind: 'bridge' })`,
    errno: 'EEXIST',
    run: (nl) => nl.links.add({ ifname: 'veth0', kind: 'bridge' }),
  },
  {
    code: `nl.addresses.add({ link: 'veth0', address: '10.0.0.1/33' })`,
    errno: 'EINVAL',
    run: (nl) => nl.addresses.add({ link: 'veth0', address: '10.0.0.1/33' }),
  },
  {
    code: `nl.routes.add({ destination: '10.1.0.0/16', gateway: '192.0.2.1' })`,
    errno: 'ENETUNREACH',
    run: (nl) => nl.routes.add({ destination: '10.1.0.0/16', gateway: '192.0.2.1' }),
  },
  {
    code: `(await nl.family(rtNeigh)).do('newNeigh', { …, flagsExt: 0x80 })`,
    errno: 'EINVAL',
    run: async (nl) => (await nl.family(rtNeigh)).do('newNeigh', { ...NEIGHBOUR, flagsExt: 0x80 }),
  },
  {
    code: `nl.links.set('veth0', { mtu: -1 })   // nothing is sent`,
    errno: 'NETLINK_ENCODE',
    run: (nl) => nl.links.set('veth0', { mtu: -1 }),
  },
]

type Refusal = NetlinkError | EncodeError

async function refusalOf({ code, run }: Attempt, nl: Netlink): Promise<Refusal> {
  try {
    await run(nl)
  } catch (error) {
    if (isNetlinkError(error) || error instanceof EncodeError) return error
    throw error
  }
  throw new SceneFailure(`${code}: expected a refusal, it was done`)
}

/** All that a refusal says. */
function comparable(error: Refusal): object {
  if (error instanceof EncodeError) return { code: error.code, message: error.message }
  const { code, errno, message, request, extack, hint } = error
  return { code, errno, message, request, extack, hint }
}

export const scene: Scene = {
  number: '0.3',
  title: 'What both refuse, and why',
  async run(stage) {
    const able = stage.sides.filter(({ nl }) => nl !== undefined)
    for (const { nl } of able)
      await nl!.links.add({ ifname: 'veth0', kind: 'veth', peer: { ifname: 'veth1' } })
    for (const { name, reason } of stage.sides)
      if (reason !== undefined) stage.say(`${name}: not shown, ${reason}`, '')
    for (const attempt of ATTEMPTS) {
      const errors: Refusal[] = []
      for (const { nl } of able) errors.push(await refusalOf(attempt, nl!))
      const [first, second] = errors
      stage.say(stage.out.style('cyan', attempt.code), `  ${first!.message}`)
      if (isNetlinkError(first) && first.hint) stage.say(`  ${first.hint}`)
      stage.equal(`errno of ${attempt.code}`, first!.code, attempt.errno)
      if (second) stage.equal(`what ${able[1]!.name} says`, comparable(second), comparable(first!))
    }
    stage.say('')
    if (able.length === 2)
      stage.held(`${ATTEMPTS.length} refusals, in words, errno and place: identical`)
  },
}
