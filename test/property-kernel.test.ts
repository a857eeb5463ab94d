/**
 * Policies against the kernel's: spoilt requests to nlctrl are refused by both with the same errno,
 * the same words, the same place and the same description of what would have been accepted.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNetlinkError, type PolicyDescription } from 'nlkit'
import { nlctrl } from 'nlkit/families/nlctrl'
import { nlmsgerrAttrs } from 'nlkit/families/nlmsgerr'
import { type AnyMessage, NL_VALIDATE_LIBERAL, NL_VALIDATE_STRICT } from 'nlkit/schema'
import { afNetlink, type Socket } from 'nlkit/transport'
import {
  align4,
  HOST_LE,
  MessageWalker,
  NETLINK_GENERIC,
  NLM_F_ACK,
  NLM_F_CAPPED,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_HDRLEN,
  viewOf,
  Writer,
} from 'nlkit/wire'
import { randomFrom } from './fuzz-run.ts'
import { mutate } from './mutants.ts'

/** What a refusal says. */
interface Verdict {
  readonly errno: number
  readonly message?: string | undefined
  readonly offset?: number | undefined
  readonly policy?: unknown
}

const GENL_HDRLEN = 4

/** An nlctrl request whose attributes are `payload`. */
function request(cmd: number, flags: number, payload: Uint8Array): Uint8Array {
  const w = new Writer()
  const mark = w.messageStart(16, NLM_F_REQUEST | NLM_F_ACK | flags, 1, 0)
  w.u8(cmd)
  w.u8(2)
  w.u16(0)
  w.put(payload)
  // the padding that a Writer adds would be bytes of the message for the kernel
  const { length } = w
  w.messageEnd(mark)
  return w.finish().slice(0, length)
}

/** The kernel's answer: undefined without a word of its own, as handlers refuse. */
async function askKernel(socket: Socket, bytes: Uint8Array): Promise<Verdict | undefined> {
  const buffer = new Uint8Array(65536)
  assert.equal(socket.send([bytes]), bytes.length)
  for (;;) {
    const length = socket.receive(buffer)
    if (length < 0) {
      await socket.readable(AbortSignal.timeout(5000))
      continue
    }
    const walker = new MessageWalker(viewOf(buffer.subarray(0, length)))
    while (walker.next()) {
      if (walker.type === NLMSG_DONE) return undefined
      if (walker.type === NLMSG_ERROR) return readError(walker)
    }
  }
}

function readError({ view, payload, end, flags }: MessageWalker): Verdict | undefined {
  const errno = view.getInt32(payload, HOST_LE)
  const copied = flags & NLM_F_CAPPED ? NLMSG_HDRLEN : view.getUint32(payload + 4, HOST_LE)
  const { msg, offs, policy } = nlmsgerrAttrs.get(view, payload + 4 + align4(copied), end)
  return msg === undefined ? undefined : { errno, message: msg, offset: offs, policy }
}

/** What our own policy says of the same bytes. */
function askSchema(body: AnyMessage, bytes: Uint8Array, level: number): Verdict | undefined {
  try {
    const warning = body.validate(viewOf(bytes), NLMSG_HDRLEN + GENL_HDRLEN, bytes.length, level, 0)
    return warning === undefined ? undefined : { errno: 0, message: warning }
  } catch (error) {
    if (!isNetlinkError(error)) throw error
    const { message, offset, policy } = error.extack ?? {}
    return { errno: error.errno as number, message, offset, policy: policy && ofKernel(policy) }
  }
}

/** A policy's description as the attributes that carry it. */
function ofKernel(policy: PolicyDescription): Record<string, unknown> {
  const { type, min, max, minLength, maxLength, mask } = policy
  const all = { minValueU: min, maxValueU: max, minLength, maxLength, mask, type }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** Without what is undefined. */
const strip = (verdict: Verdict | undefined): unknown =>
  verdict && Object.fromEntries(Object.entries(verdict).filter(([, value]) => value !== undefined))

const cases = [
  {
    name: 'CTRL_CMD_GETFAMILY, which is lenient',
    cmd: 3,
    flags: 0,
    body: nlctrl.ops.getFamily.do.request,
    level: NL_VALIDATE_LIBERAL,
    value: { familyId: 16, familyName: 'nlctrl' },
  },
  {
    name: 'CTRL_CMD_GETPOLICY, which is strict',
    cmd: 10,
    flags: NLM_F_DUMP,
    body: nlctrl.ops.getPolicy.dump.request,
    level: NL_VALIDATE_STRICT,
    value: { familyId: 16, familyName: 'nlctrl', op: 3 },
  },
] as const

for (const { name, cmd, flags, body, level, value } of cases) {
  test(`the kernel and the schema judge alike: ${name}`, async (t) => {
    const socket = await afNetlink()
      .open({ protocol: NETLINK_GENERIC, options: { extAck: true } })
      .catch((error: unknown) => error as Error)
    if (socket instanceof Error) return t.skip(socket.message)
    t.after(() => socket.close())
    const w = new Writer()
    body.encode(w, value)
    const good = w.finish()
    const random = randomFrom(9)
    let refused = 0
    for (let i = 0; i < 1500; i++) {
      const bytes = request(cmd, flags, mutate(good, random))
      const kernel = await askKernel(socket, bytes)
      const ours = askSchema(body, bytes, level)
      // a warning is not the policy's errno: the handler's own one, or none, comes with it
      const same = kernel && ours?.errno === 0 ? { ...ours, errno: kernel.errno } : ours
      assert.deepEqual(strip(same), strip(kernel), Buffer.from(bytes).toString('hex'))
      if (ours) refused++
    }
    assert.ok(refused > 100, `${refused} refusals`)
  })
}
