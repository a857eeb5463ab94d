/**
 * What genl(8) prints comes from nlctrl's dumps: those of the families of this machine's kernel, and
 * those of the same families on nlkit's, byte for byte.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { isNetlinkError, open } from 'nlkit'
import { Kernel } from 'nlkit/kernel'
import { mirrorFamilies, newNetns } from 'nlkit/testing'
import { afNetlink } from 'nlkit/transport'
import { NETLINK_GENERIC } from 'nlkit/wire'
import { refusal } from './both.ts'
import { allBytes, registerMirrors } from './genl-mirror.ts'

/** CTRL_ATTR_OP_POLICY of command 0: what Linux 6.18 says of one that is only dumped. */
const DUMP_ONLY = '100009800c000080'

async function compare(t: TestContext, netns: unknown): Promise<void> {
  const transport = afNetlink()
  const nl = await open(netns === undefined ? {} : { netns })
  const live = await transport.open({ protocol: NETLINK_GENERIC, netns, options: { extAck: true } })
  await using kernel = new Kernel()
  const ours = await kernel
    .transport()
    .open({ protocol: NETLINK_GENERIC, options: { extAck: true } })
  try {
    const mirrors = await mirrorFamilies(nl)
    assert.ok(mirrors.length >= 3, 'a kernel without families')
    try {
      registerMirrors(kernel, mirrors)
    } catch (error) {
      if (!isNetlinkError(error, 'NETLINK_INVALID')) throw error
      t.skip(`this kernel's numbers cannot be had again: ${error.message}`)
      return
    }
    const names = ['nlctrl', ...mirrors.map(({ family }) => family.name)]
    const [linux, nlkit] = [await allBytes(live, names), await allBytes(ours, names)]
    if (!linux['policy of nlctrl']?.[1]?.includes(DUMP_ONLY)) {
      t.skip('this Linux names commands that are only dumped: it is not 6.18')
      return
    }
    for (const what of Object.keys(linux)) assert.deepEqual(nlkit[what], linux[what], what)
    t.diagnostic(`${names.length} families, ${Object.values(linux).flat().length} messages`)
  } finally {
    live.close()
    ours.close()
    await nl.close()
    await transport.close?.()
  }
}

const unlike = process.platform === 'linux' ? undefined : 'only Linux has them'

test(
  'the families that this machine shows, mirrored: GETFAMILY and GETPOLICY',
  {
    ...(unlike ? { skip: unlike } : {}),
  },
  (t) => compare(t, undefined),
)

test('the families of a new namespace, mirrored: GETFAMILY and GETPOLICY', {
  ...(refusal ? { skip: refusal } : {}),
}, async (t) => {
  const netns = newNetns()
  try {
    await compare(t, netns)
  } finally {
    netns.close()
  }
})
