/** Scene 5: a generic netlink family of one's own; and the family that tells of all, on both kernels. */
import { gatherPolicies } from '../../client/family-policy.ts'
import { nlctrl } from '../../families/nlctrl.ts'
import { isNetlinkError, type Netlink, NetlinkError, open } from '../../index.ts'
import { Kernel } from '../../kernel/index.ts'
import { attrs, genlFamily, message, nest, string, u32 } from '../../schema/index.ts'
import type { Stage } from './scene.ts'
import { type Scene, SceneFailure } from './scene.ts'

const lockAttrs = attrs('LOCK_A_', { code: [1, u32.max(9999)] })
const doorAttrs = attrs('DOOR_A_', {
  id: [1, u32],
  name: [2, string.max(15)],
  lock: [3, nest(lockAttrs)],
})
const door = message(doorAttrs)
const doors = genlFamily({
  name: 'door',
  version: 1,
  groups: ['events'],
  ops: {
    get: { cmd: 1, do: { request: message(doorAttrs.only('id!')), reply: door } },
    open: { cmd: 2, do: { request: message(doorAttrs.only('id!', 'lock')) } },
  },
  notifications: { opened: { cmd: 3, group: 'events', body: door } },
})

/** The kernel's side of it. */
function serve(kernel: Kernel): void {
  const registered = kernel.genl.registerFamily(doors, {
    get: { doit: ({ id }) => ({ id, name: 'front' }) },
    open: {
      doit({ id, lock }) {
        if (lock?.code !== 1234)
          throw new NetlinkError('EACCES', {
            extack: { message: 'wrong code', attribute: 'lock.code' },
          })
        registered.notify('opened', { id, name: 'front' })
        return undefined
      },
    },
  })
}

async function ownFamily(stage: Stage): Promise<void> {
  await using kernel = new Kernel()
  serve(kernel)
  await using nl = await open({ kernel })
  const client = await nl.family(doors)
  stage.code(
    `kernel.genl.registerFamily(doors, { get: …, open: … })`,
    `const client = await nl.family(doors)`,
  )
  const listed = await (await nl.family(nlctrl)).dump('getFamily').toArray()
  const lines = listed.map(({ familyName, familyId }) => `${familyName}=${familyId}`)
  stage.say(`nlctrl lists ${lines.join(', ')}`)
  stage.equal('families', lines, ['nlctrl=16', 'door=19'])
  const events = client.listen(['events'], { signal: stage.signal })
  await events.ready
  const found = await client.do('get', { id: 1 })
  stage.say(`client.do('get', { id: 1 })  ${JSON.stringify(found)}`)
  stage.equal('the reply', found, { id: 1, name: 'front' })
  const refused = await refusal(() => client.do('open', { id: 1, lock: { code: 1111 } }))
  stage.say(`client.do('open', { id: 1, lock: { code: 1111 } })`, `  ${refused.message}`)
  stage.equal('the path', refused.extack?.attribute, 'lock.code')
  await client.do('open', { id: 1, lock: { code: 1234 } })
  const { value } = await events.next()
  events.close()
  stage.say(`heard: ${value.name} ${JSON.stringify(value.value)}`, '')
  stage.equal('the notification', value, { name: 'opened', value: { id: 1, name: 'front' } })
  stage.held('listed, called, refused with a path, heard')
}

async function refusal(ask: () => Promise<unknown>): Promise<NetlinkError> {
  try {
    await ask()
  } catch (error) {
    if (isNetlinkError(error)) return error
    throw error
  }
  throw new SceneFailure('expected a refusal, it was done')
}

/** What nlctrl says of itself, and of what it refuses. */
async function aboutNlctrl(nl: Netlink): Promise<unknown> {
  const ctrl = await nl.family(nlctrl)
  const which = { familyName: 'nlctrl' }
  const { ops = [], ...info } = await ctrl.do('getFamily', which)
  const items = await ctrl.dump('getPolicy', which).toArray()
  const {
    code,
    message: text,
    extack,
  } = await refusal(() =>
    ctrl.do('getFamily', { unknown: [{ type: 1, data: Uint8Array.of(1), index: 0 }] }),
  )
  const { policies } = gatherPolicies(items, ops)
  return { info, ops, policies: [...policies].map(([i, each]) => [i, ...each]), code, text, extack }
}

export const scene: Scene = {
  number: '5',
  title: 'A generic netlink family of your own; nlctrl on both kernels',
  async run(stage) {
    await ownFamily(stage)
    stage.say('')
    for (const { name, reason } of stage.sides)
      if (reason !== undefined) stage.say(`${name}: not shown, ${reason}`, '')
    const able = stage.sides.filter(({ nl }) => nl !== undefined)
    const told: unknown[] = []
    for (const { nl } of able) told.push(await aboutNlctrl(nl as Netlink))
    if (told.length < 2) return
    stage.equal(`what ${able[1]?.name} says of nlctrl`, told[1], told[0])
    stage.held('nlctrl: itself, its policies, and its refusal with policy and place: identical')
  },
}
