/** What a command takes: each parameter with its placeholder, its meaning, and how its text is read. */
import { isIP } from 'node:net'
import { didYouMean } from '../client/nearest.ts'
import { UsageError } from './exit.ts'

/** One parameter of a command: an option `--name`, and the same word without its dashes. */
export interface Parameter<T> {
  /** Stands for the value in help, such as `BYTES`; absent for a flag. */
  readonly placeholder?: string
  /** The value may be left out; it is the empty text then. Only as an option, `--name[=VALUE]`. */
  readonly isOptional?: boolean
  readonly about: string
  /** Other spellings of the word, ip(8)'s. */
  readonly words?: readonly string[]
  /** Words that may stand between the word and its value, such as `name` in `peer name veth1`. */
  readonly noise?: readonly string[]
  /** Words that are a value of it by themselves, as `blackhole` is one of a route's type. */
  readonly values?: readonly string[]
  /** Takes a group of words, as `nexthop via A dev D` does, and may be given again. */
  readonly group?: readonly string[]
  /** @throws UsageError that says what was expected. */
  read(text: string): T
}

// biome-ignore lint/suspicious/noExplicitAny: the table is heterogeneous, its reader is typed by Given
export type Parameters = Readonly<Record<string, Parameter<any>>>

/** What was given, by parameter. */
export type Given<P extends Parameters> = {
  readonly [K in keyof P]?: P[K] extends Parameter<infer T> ? T : never
}

type More = Partial<Pick<Parameter<unknown>, 'words' | 'noise' | 'values'>>

function expected(what: string, text: string, hint?: string): UsageError {
  return new UsageError(`expected ${what}, got "${text}"`, hint)
}

export function text(placeholder: string, about: string, more: More = {}): Parameter<string> {
  return { placeholder, about, ...more, read: (word) => word }
}

export function flag(about: string, more: More = {}): Parameter<true> {
  return { about, ...more, read: () => true }
}

/** A whole number, decimal or 0x…; the kernel decides about its range, the schema about its size. */
export function readInteger(word: string): number {
  if (!/^(\d+|0x[\da-f]+)$/i.test(word)) throw expected('a number', word)
  return Number(word)
}

export function integer(placeholder: string, about: string, more: More = {}): Parameter<number> {
  return { placeholder, about, ...more, read: readInteger }
}

const SWITCH: Readonly<Record<string, boolean>> = {
  on: true,
  yes: true,
  true: true,
  '1': true,
  off: false,
  no: false,
  false: false,
  '0': false,
}

/** `on` or `off`. */
export function onOff(about: string, more: More = {}): Parameter<boolean> {
  return {
    placeholder: 'on|off',
    about,
    ...more,
    read(word) {
      const value = SWITCH[word.toLowerCase()]
      if (value === undefined) throw expected('on or off', word)
      return value
    },
  }
}

/** One of a few words. */
export function oneOf<const T extends string>(
  values: readonly T[],
  about: string,
  more: More = {},
): Parameter<T> {
  return {
    placeholder: values.length > 4 ? 'NAME' : values.join('|'),
    about,
    ...more,
    read(word) {
      const value = values.find((one) => one === word.toLowerCase())
      if (value === undefined)
        throw expected(`one of ${values.join(' ')}`, word, didYouMean(word, values))
      return value
    },
  }
}

/** A name of `table` or a number. */
export function named(
  placeholder: string,
  about: string,
  number: (name: string) => number | undefined,
  more: More = {},
): Parameter<number> {
  return {
    placeholder,
    about,
    ...more,
    read(word) {
      const value = number(word)
      return value ?? readInteger(word)
    },
  }
}

export function readAddress(word: string): string {
  if (isIP(word) === 0) throw expected('an IP address', word)
  return word
}

export function address(placeholder: string, about: string, more: More = {}): Parameter<string> {
  return { placeholder, about, ...more, read: readAddress }
}

/** An address and how many of its bits count. */
export interface Prefix {
  readonly address: string
  readonly length: number
  readonly family: 'inet' | 'inet6'
}

/**
 * `10.0.0.0/8`, an address alone (all its bits count), or `default` and `any`, which are everything
 * of `family`. The length is not compared with the family's: that is the kernel's sentence.
 */
export function readPrefix(word: string, family: 'inet' | 'inet6' = 'inet'): Prefix {
  if (word === 'default' || word === 'any' || word === 'all')
    return { address: family === 'inet' ? '0.0.0.0' : '::', length: 0, family }
  const slash = word.indexOf('/')
  const address = slash < 0 ? word : word.slice(0, slash)
  const version = isIP(address)
  if (version === 0) throw expected('an address such as 10.0.0.1/24', word)
  const own = version === 4 ? 'inet' : 'inet6'
  if (slash < 0) return { address, length: own === 'inet' ? 32 : 128, family: own }
  const bits = word.slice(slash + 1)
  if (!/^\d{1,3}$/.test(bits)) throw expected('a prefix length after the slash', word)
  return { address, length: Number(bits), family: own }
}

const MAC = /^[\da-f]{1,2}(:[\da-f]{1,2})+$/i

export function mac(about: string, more: More = {}): Parameter<string> {
  return {
    placeholder: 'MAC',
    about,
    ...more,
    read(word) {
      if (!MAC.test(word)) throw expected('an address such as 02:00:00:00:00:01', word)
      return word
        .toLowerCase()
        .split(':')
        .map((part) => part.padStart(2, '0'))
        .join(':')
    },
  }
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `250ms`, `5s`, `2m`, `1h` as milliseconds. */
export function readDuration(word: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(word) ?? []
  if (number === undefined || unit === undefined)
    throw expected('a duration such as 250ms, 5s or 2m', word)
  return Number(number) * UNITS[unit]!
}

export function duration(about: string, more: More = {}): Parameter<number> {
  return { placeholder: 'DURATION', about, ...more, read: readDuration }
}

/** JSON, for what has no parameter of its own. */
export function json(about: string, more: More = {}): Parameter<unknown> {
  return {
    placeholder: 'JSON',
    about,
    ...more,
    read(word) {
      try {
        return JSON.parse(word)
      } catch {
        throw new UsageError(`expected JSON, got "${word}"`)
      }
    },
  }
}
