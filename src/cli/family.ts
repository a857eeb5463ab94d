/** `nlkit family`: what generic netlink families a kernel has, and what they take. */
import { type AttrPolicy, type FamilyPolicies, gatherPolicies } from '../client/family-policy.ts'
import { didYouMean } from '../client/nearest.ts'
import { nlctrl } from '../families/nlctrl.ts'
import { loadFamily } from '../families/registry.ts'
import { isNetlinkError } from '../index.ts'
import type { Family, Reply } from '../schema/index.ts'
import {
  GENL_ADMIN_PERM,
  GENL_CMD_CAP_DO,
  GENL_CMD_CAP_DUMP,
  GENL_UNS_ADMIN_PERM,
} from '../wire/index.ts'
import { type Call, type Command, verb } from './command.ts'
import { familyInfo } from './described-family.ts'
import { UsageError } from './exit.ts'
import { describeOps, nameOfAttribute } from './family-text.ts'

type Info = Reply<typeof nlctrl, 'getFamily'>

async function allFamilies(call: Call): Promise<Info[]> {
  const nl = await call.open()
  const ctrl = await nl.family(nlctrl)
  return ctrl.dump('getFamily').toArray()
}

function subjectOf(call: Call): string {
  const [name] = call.rest
  if (name === undefined) throw new UsageError('NAME is missing: the family', 'nlkit family list')
  return name
}

const list = verb({
  summary: 'the generic netlink families of the kernel',
  examples: ['nlkit family list', 'nlkit family list -j'],
  parameters: {},
  async run(call) {
    const families = await allFamilies(call)
    if (call.options.json) {
      call.out.json(families)
      return
    }
    const right = { align: 'right' } as const
    call.out.table(
      [
        { heading: 'ID', ...right },
        { heading: 'NAME' },
        { heading: 'VERSION', ...right },
        { heading: 'OPS', ...right },
        { heading: 'GROUPS' },
      ],
      families.map(({ familyId, familyName, version, ops = [], mcastGroups = [] }) => [
        String(familyId),
        familyName,
        String(version),
        String(ops.length),
        mcastGroups.map(({ name, id }) => `${name}=${id}`).join(' ') || '-',
      ]),
    )
  },
})

/** An operation's capabilities in words. */
function abilities(flags: number): string {
  const words = [
    flags & GENL_CMD_CAP_DO ? 'do' : '',
    flags & GENL_CMD_CAP_DUMP ? 'dump' : '',
    flags & GENL_ADMIN_PERM ? 'CAP_NET_ADMIN' : '',
    flags & GENL_UNS_ADMIN_PERM ? 'CAP_NET_ADMIN of the namespace' : '',
  ]
  return words.filter(Boolean).join(', ')
}

function opNames(family: Family | undefined): ReadonlyMap<number, string> {
  return new Map(Object.entries(family?.ops ?? {}).map(([name, { cmd }]) => [cmd, name]))
}

const describe = verb({
  summary: 'a family: its operations with their attributes, its groups',
  examples: ['nlkit family describe nlctrl'],
  many: 'NAME',
  parameters: {},
  async run(call) {
    const name = subjectOf(call)
    const info = await familyInfo(call, name)
    const family = await loadFamily(name)
    const names = opNames(family)
    const { ops = [], mcastGroups = [] } = info
    if (call.options.json) {
      const named = ops.map((op) => ({ ...op, name: names.get(op.id ?? 0) }))
      call.out.json({ ...info, ops: named })
      return
    }
    call.out.line(`${name}  id ${info.familyId}  version ${info.version}  header ${info.hdrsize}`)
    for (const { id = 0, flags = 0 } of ops) {
      call.out.line(`  ${names.get(id) ?? `command ${id}`}  (${id}: ${abilities(flags)})`)
      call.out.lines(describeOps(family, names.get(id)).map((line) => `    ${line}`))
    }
    for (const { name: group, id } of mcastGroups) call.out.line(`  group ${group}  (${id})`)
    if (!family) call.out.line('  nlkit has no description of its attributes')
  },
})

function policyText(policy: AttrPolicy): string {
  const { type, minValueU, maxValueU, minValueS, maxValueS, minLength, maxLength } = policy
  const { policyIdx, policyMaxtype, bitfield32Mask, mask } = policy
  const min = minValueU ?? minValueS
  const max = maxValueU ?? maxValueS
  const parts = [
    String(type),
    min !== undefined || max !== undefined ? `${min ?? ''}..${max ?? ''}` : '',
    mask === undefined ? '' : `mask 0x${mask.toString(16)}`,
    bitfield32Mask === undefined ? '' : `mask 0x${bitfield32Mask.toString(16)}`,
    minLength === undefined ? '' : `at least ${minLength} bytes`,
    maxLength === undefined ? '' : `at most ${maxLength} bytes`,
    policyIdx === undefined ? '' : `policy ${policyIdx}, up to attribute ${policyMaxtype ?? 0}`,
  ]
  return parts.filter(Boolean).join('  ')
}

function opNumber(family: Family | undefined, word: string): number {
  if (/^(\d+|0x[\da-f]+)$/i.test(word)) return Number(word)
  const found = family?.ops[word]
  if (found) return found.cmd
  const names = Object.keys(family?.ops ?? {})
  throw new UsageError(
    `unknown operation "${word}"`,
    didYouMean(word, names) ??
      (names.length > 0 ? `there are ${names.join(', ')}` : 'give its number'),
  )
}

async function readPolicies(
  call: Call,
  { familyName, ops = [] }: Info,
  op: number | undefined,
): Promise<FamilyPolicies> {
  const asked = op === undefined ? ops : ops.filter(({ id }) => id === op)
  const nl = await call.open()
  const ctrl = await nl.family(nlctrl)
  try {
    return gatherPolicies(await ctrl.dump('getPolicy', { familyName, op }).toArray(), asked)
  } catch (error) {
    if (isNetlinkError(error, 'ENODATA')) return { ops: [], policies: new Map() }
    throw error
  }
}

const policy = verb({
  summary: 'what a family accepts, as the kernel tells it',
  examples: ['nlkit family policy nlctrl', 'nlkit family policy ethtool linkinfoGet'],
  many: 'NAME OP',
  parameters: {},
  async run(call) {
    const name = subjectOf(call)
    const info = await familyInfo(call, name)
    const family = await loadFamily(name)
    const [, word] = call.rest
    const op = word === undefined ? undefined : opNumber(family, word)
    const { ops, policies } = await readPolicies(call, info, op)
    if (call.options.json) {
      call.out.json({
        ops,
        policies: Object.fromEntries(
          [...policies].map(([index, attributes]) => [index, Object.fromEntries(attributes)]),
        ),
      })
      return
    }
    const names = opNames(family)
    for (const { cmd, do: doPolicy, dump } of ops) {
      const which = [
        doPolicy === undefined ? '' : `do policy ${doPolicy}`,
        dump === undefined ? '' : `dump policy ${dump}`,
      ]
      call.out.line(`${names.get(cmd) ?? `command ${cmd}`}: ${which.filter(Boolean).join(', ')}`)
    }
    for (const [index, attributes] of policies) {
      call.out.line(`policy ${index}`)
      for (const [number, each] of attributes)
        call.out.line(
          `  ${number}  ${nameOfAttribute(family, ops, index, number)}${policyText(each)}`,
        )
    }
    if (ops.length === 0) call.out.line(`${name} has no policy`)
  },
})

export const command: Command = { verbs: { list, describe, policy } }
