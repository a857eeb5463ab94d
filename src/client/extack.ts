/**
 * Refusals as errors: errno, extended acknowledgement, and where in the request the fault is.
 *
 * The kernel gives offsets into the request; the request's own bytes and schema make paths of them.
 * Kernel: net/netlink/af_netlink.c netlink_ack_tlv_fill() (Linux 6.18).
 */
import { errnoName } from '../errno.ts'
import { type Extack, NetlinkError, type PolicyDescription } from '../errors.ts'
import { nlmsgerrAttrs } from '../families/nlmsgerr.ts'
import type { AttrEntry, AttrTable, Infer, Message } from '../schema/index.ts'
import { NLA_HDRLEN, viewOf } from '../wire/index.ts'
import { type Call, payloadOf } from './call.ts'
import { hintFor } from './hints.ts'

type ExtackAttrs = Infer<typeof nlmsgerrAttrs>
type AnyType = AttrEntry['type']
type PolicyAttrs = NonNullable<ExtackAttrs['policy']>

/** A request's bytes, from its nlmsghdr on. */
interface Sent {
  readonly call: Call
  readonly bytes: Uint8Array
}

/** The attributes from `at` to `end` as an extack; undefined when there are none, or none readable. */
export function readExtack(
  view: DataView,
  at: number,
  end: number,
  sent: Sent,
): Extack | undefined {
  if (end - at < NLA_HDRLEN) return undefined
  let attrs: ExtackAttrs
  try {
    attrs = nlmsgerrAttrs.get(view, at, end)
  } catch {
    return undefined
  }
  const { msg, offs, policy, missType, missNest, cookie } = attrs
  const { request } = sent.call
  const requestView = viewOf(sent.bytes)
  const payload = payloadOf(sent.call, 16)
  const length = sent.bytes.length
  const path = (offset: number) => request?.pathAt(requestView, payload, length, offset)
  return {
    ...(msg === undefined ? {} : { message: msg }),
    ...(offs === undefined ? {} : { offset: offs, attribute: path(offs) }),
    ...(policy === undefined ? {} : { policy: describe(policy) }),
    ...(missType === undefined
      ? {}
      : { missing: missingPath(request, requestView, payload, missType, missNest) ?? missType }),
    ...(missNest === undefined ? {} : { missingNest: missNest }),
    ...(cookie === undefined ? {} : { cookie }),
  }
}

/** The policy in an extack, as describePolicy() writes those of a schema. */
function describe(policy: PolicyAttrs): PolicyDescription {
  const { type = 0, minValueS, maxValueS, minValueU, maxValueU, minLength, maxLength } = policy
  const min = minValueU ?? minValueS
  const max = maxValueU ?? maxValueS
  const mask =
    policy.mask ?? (policy.bitfield32Mask === undefined ? undefined : BigInt(policy.bitfield32Mask))
  return {
    type: typeof type === 'string' ? type : `type ${type}`,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(minLength === undefined ? {} : { minLength }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(mask === undefined ? {} : { mask }),
  }
}

/** The path of attribute `id` in the nest that starts at `nestOffset`, or at the top. */
function missingPath(
  request: Message<unknown, unknown> | undefined,
  view: DataView,
  payload: number,
  id: number,
  nestOffset: number | undefined,
): string | undefined {
  const top = request?.attrs?.selection.table
  if (!request || !top) return undefined
  if (nestOffset === undefined) return top.byId.get(id)?.name
  const nestPath = request.pathAt(view, payload, view.byteLength, nestOffset)
  if (nestPath === undefined) return undefined
  const table = tableAt(top, nestPath, valuesOf(request, view, payload))
  const name = table?.byId.get(id)?.name
  return name === undefined ? undefined : `${nestPath}.${name}`
}

/** What was asked, for the selectors in it. */
function valuesOf(request: Message<unknown, unknown>, view: DataView, payload: number): unknown {
  try {
    return request.decode(view, payload, view.byteLength)
  } catch {
    return undefined
  }
}

/** The attribute table of the nest at `path`, such as `linkinfo.data`. */
function tableAt(top: AttrTable, path: string, values: unknown): AttrTable | undefined {
  let table: AttrTable | undefined = top
  let here = values as Record<string, unknown> | undefined
  for (const segment of path.split('.')) {
    const [name = '', ...indexes] = segment.split(/[[\]]+/).filter(Boolean)
    let type: AnyType | undefined = table?.byName.get(name)?.type
    let value: unknown = here?.[name]
    if (type?.shape.kind === 'selected') {
      type = type.shape.variants[String(here?.[type.shape.selector])]
    }
    for (const index of indexes) {
      if (type?.shape.kind === 'array') {
        type = type.shape.of
        value = (value as unknown[] | undefined)?.[Number(index)]
      } else if (type?.shape.kind === 'keyed') {
        type = type.shape.of
        const items = value as { key: number; value: unknown }[] | undefined
        value = items?.find(({ key }) => key === Number(index))?.value
      }
    }
    if (type?.shape.kind === 'multi') type = type.shape.of
    if (type?.shape.kind !== 'nest') return undefined
    table = type.shape.table
    here = value as Record<string, unknown> | undefined
  }
  return table
}

/** The error of a request that the kernel refused with `errno`, negative. */
export function refusal(errno: number, call: Call, extack: Extack | undefined): NetlinkError {
  const code = errnoName(errno)
  return new NetlinkError(code, { request: call.name, extack, hint: hintFor(code, call, extack) })
}
