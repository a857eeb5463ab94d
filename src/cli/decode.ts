/** `nlkit decode`: the datagrams of a capture file, or bytes in hex, in words. */
import { readFileSync } from 'node:fs'
import { type Frame, readFrames } from '../capture/index.ts'
import { nlmsgerrAttrs } from '../families/nlmsgerr.ts'
import { formatMessage, summarizeMessage } from '../schema/index.ts'
import { type Call, type Command, verb } from './command.ts'
import { Families, protocolName, protocolNumber } from './decode-families.ts'
import { UsageError } from './exit.ts'
import { type Parameters, text } from './parameter.ts'

const parameters = {
  protocol: text(
    'NAME',
    'of bytes in hex: route unless given; a name such as generic, or a number',
  ),
} satisfies Parameters

const HEX = /^(?:[\da-f]{2}[\s:,]*)+$/i

/** Bytes written in hex, with or without what may stand between them. */
function readHex(words: string): Uint8Array | undefined {
  const plain = words.replace(/0x|\\x/gi, '').trim()
  return HEX.test(plain)
    ? Uint8Array.from(Buffer.from(plain.replace(/[^\da-f]/gi, ''), 'hex'))
    : undefined
}

function hexFrame(bytes: Uint8Array, protocol: number): Frame {
  return { time: 0n, protocol, toKernel: true, bytes }
}

/** What is to be decoded: frames of a file, or of standard input, or one of the words themselves. */
function* frames(words: readonly string[], protocol: number): Generator<Frame> {
  const [first = '-'] = words
  const hex = words.length > 1 || first !== '-' ? readHex(words.join('')) : undefined
  if (hex && (words.length > 1 || hex.length >= 8)) {
    yield hexFrame(hex, protocol)
    return
  }
  let file: Buffer
  try {
    file = readFileSync(first === '-' ? 0 : first)
  } catch (error) {
    throw new UsageError(`${first} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
  const lines = file.subarray(0, 64).toString('latin1').trimStart()
  if (!/^[\da-f]{2}/i.test(lines)) {
    yield* readFrames(file)
    return
  }
  for (const line of file.toString('latin1').split('\n')) {
    if (line.trim() === '') continue
    const bytes = readHex(line)
    if (!bytes) throw new UsageError(`"${line.slice(0, 40)}" is neither a capture file nor hex`)
    yield hexFrame(bytes, protocol)
  }
}

/** `2026-11-30 18:23:45.123456`, or nothing where no time is known. */
function timeOf({ time }: Frame): string {
  if (time === 0n) return ''
  const date = new Date(Number(time / 1_000_000n)).toISOString().slice(0, 19).replace('T', ' ')
  return `${date}.${String((time / 1000n) % 1_000_000n).padStart(6, '0')}`
}

async function decode(call: Call<typeof parameters>): Promise<void> {
  const protocol = protocolNumber(call.given.protocol ?? 'route')
  const families = new Families()
  let count = 0
  for (const frame of frames(call.rest, protocol)) {
    count++
    const find = await families.lookup(frame)
    const options = { extack: nlmsgerrAttrs }
    const arrow = frame.toKernel ? '>' : '<'
    const head = `${timeOf(frame)} ${protocolName(frame.protocol)} ${arrow}`.trimStart()
    if (call.options.json) {
      call.out.json({
        time: Number(frame.time) / 1e9,
        protocol: frame.protocol,
        toKernel: frame.toKernel,
        bytes: Buffer.from(frame.bytes).toString('hex'),
        text: formatMessage(frame.bytes, find, options),
      })
    } else if (call.options.brief) {
      call.out.line(`${head} ${summarizeMessage(frame.bytes, find, options)}`)
    } else call.out.lines([head, ...formatMessage(frame.bytes, find, options)])
  }
  if (count === 0) throw new UsageError('there is nothing to decode')
}

export const command: Command = {
  only: verb({
    summary: 'capture files and bytes in hex, in words',
    examples: [
      'nlkit decode talk.pcapng',
      'nlkit decode 1400000012000103000000000000000000000000',
      'tcpdump -i nlmon0 -w - | nlkit decode -br -',
    ],
    many: 'FILE|HEX|-',
    parameters,
    run: decode,
  }),
}
