/**
 * Module parameters: their types, and the line in which insmod gives them.
 *
 * Kernel: kernel/params.c parse_args(), param_set_*(); lib/kstrtox.c (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'

/** One parameter: how its text is read, and its value when it is not given. */
export interface ParamType<T> {
  /** As modinfo shows it: `int`, `array of int`. */
  readonly type: string
  readonly default: T
  /** MODULE_PARM_DESC. */
  readonly description: string | undefined
  /** @throws NetlinkError EINVAL, ERANGE or ENOSPC; `text` is undefined when there is no `=`. */
  parse(text: string | undefined): T
}

/** The values of parameters. */
export type ParamValues<P> = {
  readonly [K in keyof P]: P[K] extends ParamType<infer T> ? T : never
}
/** Parameters as insmod takes them: its line, or values by name. */
export type ParamInput =
  | string
  | Readonly<Record<string, string | number | bigint | boolean | readonly unknown[] | undefined>>

/** charp: longest text. */
const LONGEST_CHARP = 1024

function integer(type: string, bits: number, signed: boolean) {
  const min = signed ? -(1n << BigInt(bits - 1)) : 0n
  const max = signed ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n
  return (text: string | undefined): bigint => {
    const digits = /^([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)\n?$/i.exec(text ?? '')
    if (!digits || (digits[1] === '-' && !signed)) throw new NetlinkError('EINVAL')
    const body = digits[2] as string
    const size = BigInt(/^0[0-7]/.test(body) ? `0o${body.slice(1)}` : body)
    const value = digits[1] === '-' ? -size : size
    if (value < min || value > max) throw new NetlinkError('ERANGE', `${type}: ${text}`)
    return value
  }
}

function small(type: string, bits: number, signed: boolean) {
  const read = integer(type, bits, signed)
  return (value = 0, description?: string): ParamType<number> => ({
    type,
    default: value,
    description,
    parse: (text) => Number(read(text)),
  })
}
function large(type: string, signed: boolean) {
  const read = integer(type, 64, signed)
  return (value = 0n, description?: string): ParamType<bigint> => ({
    type,
    default: value,
    description,
    parse: read,
  })
}

/** kstrtobool(). */
function parseBool(text = '1'): boolean {
  if (/^([yt1]|on)/i.test(text)) return true
  if (/^([nf0]|of)/i.test(text)) return false
  throw new NetlinkError('EINVAL')
}

/** The types that module_param() knows; each takes the default and a description. */
export const param = {
  byte: small('byte', 8, false),
  short: small('short', 16, true),
  ushort: small('ushort', 16, false),
  int: small('int', 32, true),
  uint: small('uint', 32, false),
  long: large('long', true),
  ulong: large('ulong', false),
  bool: (value = false, description?: string): ParamType<boolean> => ({
    type: 'bool',
    default: value,
    description,
    parse: parseBool,
  }),
  charp: (value = '', description?: string): ParamType<string> => ({
    type: 'charp',
    default: value,
    description,
    parse(text) {
      if (text === undefined) throw new NetlinkError('EINVAL')
      if (text.length > LONGEST_CHARP) throw new NetlinkError('ENOSPC')
      return text
    },
  }),
  /** module_param_array(): at most `most` values with commas between them. */
  array: <T>(of: ParamType<T>, most: number, description?: string): ParamType<readonly T[]> => ({
    type: `array of ${of.type}`,
    default: [],
    description,
    parse(text) {
      const parts = text?.split(',') ?? []
      if (parts.length === 0 || parts.length > most) throw new NetlinkError('EINVAL')
      return parts.map((part) => of.parse(part))
    },
  }),
}

/** One parameter as it was given. */
interface Given {
  readonly name: string
  readonly value: string | undefined
}

/** next_arg(): words with blanks between them; a value, or a word, may stand in double quotes. */
function parseLine(line: string): Given[] {
  const given: Given[] = []
  for (const [word] of line.matchAll(/(?:"[^"]*"?|[^\s"])+/g)) {
    const bare = /^"(.*?)"?$/.exec(word)?.[1] ?? word
    const at = bare.indexOf('=')
    if (at < 0) given.push({ name: bare, value: undefined })
    else given.push({ name: bare.slice(0, at), value: unquote(bare.slice(at + 1)) })
  }
  return given
}

function unquote(text: string): string {
  return /^"(.*?)"?$/s.exec(text)?.[1] ?? text
}

function listGiven(input: ParamInput): Given[] {
  if (typeof input === 'string') return parseLine(input)
  return Object.entries(input)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ name, value: String(value) }))
}

/**
 * parse_args(): the values of `types` as `input` gives them, or their defaults; a later one wins.
 * Unknown ones are warned of. `warn` gets lines for the log.
 * @throws NetlinkError EINVAL, ERANGE or ENOSPC.
 */
export function parseParams(
  module: string,
  types: Readonly<Record<string, ParamType<unknown>>>,
  input: ParamInput,
  warn: (text: string) => void,
): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  const names = new Map<string, string>()
  for (const [name, type] of Object.entries(types)) {
    values[name] = type.default
    names.set(name.replaceAll('-', '_'), name)
  }
  for (const { name, value } of listGiven(input)) {
    const known = names.get(name.replaceAll('-', '_'))
    if (known === undefined) {
      warn(`${module}: unknown parameter '${name}' ignored`)
      continue
    }
    try {
      values[known] = (types[known] as ParamType<unknown>).parse(value)
    } catch (error) {
      const code = error instanceof NetlinkError ? error.code : 'EINVAL'
      const wrong = code === 'ENOSPC' ? 'too large' : 'invalid'
      const text = `${module}: \`${value ?? ''}' ${wrong} for parameter \`${name}'`
      warn(text)
      throw new NetlinkError(code, { message: text })
    }
  }
  return values
}
