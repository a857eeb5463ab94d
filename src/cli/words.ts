/**
 * The grammar: a parameter is an option with dashes, or the same word without them, as in ip(8).
 *
 * `link set veth0 --mtu 9000 --up` and `link set veth0 mtu 9000 up` are the same command. The first
 * word that is no parameter's is the subject.
 */

import { didYouMean } from '../client/nearest.ts'
import type { Verb } from './command.ts'
import { UsageError } from './exit.ts'
import type { Parameter } from './parameter.ts'

/** A command line, read. */
export interface Reading {
  readonly subject: string | undefined
  readonly rest: readonly string[]
  readonly given: Record<string, unknown>
}

/** `txQueueLen` as an option is written: `tx-queue-len`. */
export function optionName(parameter: string): string {
  return parameter.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

type Entry = readonly [name: string, parameter: Parameter<unknown>, value?: string]

/** Every word that stands for a parameter. */
function wordTable(verb: Verb): Map<string, Entry> {
  const table = new Map<string, Entry>()
  for (const [name, parameter] of Object.entries(verb.parameters)) {
    const own = optionName(name)
    for (const word of [own, own.replaceAll('-', '_'), ...(parameter.words ?? [])])
      table.set(word, [name, parameter])
    for (const value of parameter.values ?? []) table.set(value, [name, parameter, value])
  }
  return table
}

/** Reads one value; what is wrong with it is told with the parameter's name. */
function read([name, parameter]: Entry, text: string): unknown {
  try {
    return parameter.read(text)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError(`${optionName(name)}: ${error.message}`, error.hint)
  }
}

class Reader {
  readonly #verb: Verb
  readonly #table: ReadonlyMap<string, Entry>
  readonly given: Record<string, unknown> = {}
  readonly rest: string[] = []
  subject: string | undefined

  constructor(verb: Verb) {
    this.#verb = verb
    this.#table = wordTable(verb)
  }

  /** @throws UsageError when it was given before, unless it may be repeated. */
  give(entry: Entry, text: string): void {
    const [name, parameter] = entry
    const value = read(entry, text)
    const before = this.given[name]
    if (before !== undefined && !parameter.group)
      throw new UsageError(`"${optionName(name)}" is given twice`)
    this.given[name] =
      before === undefined ? value : [...(before as unknown[]), ...(value as unknown[])]
  }

  /** Takes the word at `at` with its values; returns the index behind them. */
  take(words: readonly string[], at: number): number {
    const word = words[at]!
    const { subject } = this.#verb
    if (this.subject === undefined && subject?.words?.includes(word)) {
      // `to root PREFIX`: the first of them says no more than the second.
      const next = words[at + 1] ?? ''
      if (words.length > at + 2 && (this.#table.has(next) || subject.words.includes(next)))
        return at + 1
      this.subject = this.#value(words, at, word, subject.placeholder)
      return at + 2
    }
    const entry = this.#table.get(word)
    if (!entry) return this.#operand(word, at)
    const [, { placeholder, group, noise }, itself] = entry
    if (itself !== undefined) {
      this.give(entry, itself)
      return at + 1
    }
    if (group) return this.#group(words, at, entry, group)
    if (placeholder === undefined) {
      this.give(entry, '')
      return at + 1
    }
    const from = noise?.includes(words[at + 1] ?? '') ? at + 1 : at
    this.give(entry, this.#value(words, from, word, placeholder))
    return from + 2
  }

  #value(words: readonly string[], at: number, word: string, placeholder: string): string {
    const value = words[at + 1]
    if (value === undefined) throw new UsageError(`"${word}" needs a value: ${word} ${placeholder}`)
    return value
  }

  /** `nexthop via A dev D weight N`: pairs, for as long as their first words are the group's. */
  #group(words: readonly string[], at: number, entry: Entry, group: readonly string[]): number {
    let end = at + 1
    while (group.includes(words[end] ?? '') && end + 1 < words.length) end += 2
    this.give(entry, words.slice(at + 1, end).join(' '))
    return end
  }

  #operand(word: string, at: number): number {
    if (this.#verb.many) this.rest.push(word)
    else if (this.subject === undefined && this.#verb.subject) this.subject = word
    else throw new UsageError(`unexpected word "${word}"`, didYouMean(word, this.#table.keys()))
    return at + 1
  }
}

/**
 * Reads the words and the options of a command line.
 * @throws UsageError for an unknown word, a value that is missing or wrong, one given twice, and a
 * subject that is required and absent.
 */
export function readCommandLine(
  verb: Verb,
  words: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Reading {
  const reader = new Reader(verb)
  for (const entry of Object.entries(verb.parameters)) {
    const text = options[entry[0]]
    if (text === undefined) continue
    for (const each of Array.isArray(text) ? text : [text])
      reader.give(entry, each === true ? '' : String(each))
  }
  for (let at = 0; at < words.length; ) at = reader.take(words, at)
  const { subject } = verb
  if (subject?.required && reader.subject === undefined)
    throw new UsageError(`${subject.placeholder} is missing: ${subject.about}`)
  return { subject: reader.subject, rest: reader.rest, given: reader.given }
}
