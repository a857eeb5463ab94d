/**
 * One description of an object, two outputs: the members of `ip -j`, or ip(8)'s words.
 *
 * A show function is written once. It tells each member with its text, and the printer takes the
 * one or the other. JSON is written as it comes, so that lists of any length need no memory.
 */
import { toJson } from './json.ts'
import type { Style } from './output.ts'

export interface Printer {
  readonly isJson: boolean
  /** Whether it takes words without colours. */
  readonly isPlain: boolean
  /** A member `name` of JSON, which is `text` in words. `name` is null for an element of a list. */
  both(name: string | null, value: unknown, text: string, style?: Style): void
  /** Of JSON alone. */
  member(name: string | null, value: unknown): void
  /** Words alone. */
  text(text: string, style?: Style): void
  /** The end of a line within an object, which `--oneline` makes a backslash. */
  line(): void
  /** An object, in JSON; a member or, without a name, an element. */
  open(name?: string | null): void
  close(): void
  /** A list, in JSON. */
  openList(name?: string | null): void
  closeList(): void
  /** What has been written since the last time. */
  take(): string
  /** Characters that `take` would give. */
  readonly length: number
}

export class JsonPrinter implements Printer {
  readonly isJson = true
  readonly isPlain = false
  #written = ''
  /** Whether a value stands in front, so that a comma is due. */
  #isBehind = false

  get length(): number {
    return this.#written.length
  }
  both(name: string | null, value: unknown): void {
    this.member(name, value)
  }
  member(name: string | null, value: unknown): void {
    this.#begin(name)
    this.#written += toJson(value)
    this.#isBehind = true
  }
  text(): void {}
  line(): void {}
  open(name: string | null = null): void {
    this.#enter(name, '{')
  }
  close(): void {
    this.#leave('}')
  }
  openList(name: string | null = null): void {
    this.#enter(name, '[')
  }
  closeList(): void {
    this.#leave(']')
  }
  take(): string {
    const written = this.#written
    this.#written = ''
    return written
  }

  #begin(name: string | null): void {
    if (this.#isBehind) this.#written += ','
    if (name !== null) this.#written += `${JSON.stringify(name)}:`
  }
  #enter(name: string | null, bracket: string): void {
    this.#begin(name)
    this.#written += bracket
    this.#isBehind = false
  }
  #leave(bracket: string): void {
    this.#written += bracket
    this.#isBehind = true
  }
}

export class TextPrinter implements Printer {
  readonly isJson = false
  readonly isPlain: boolean
  readonly #style: ((style: Style, text: string) => string) | undefined
  readonly #newline: string
  #written = ''

  /** Without `style` words stay as they are. */
  constructor(style?: (style: Style, text: string) => string, isOneline = false) {
    this.#style = style
    this.isPlain = style === undefined
    this.#newline = isOneline ? '\\' : '\n'
  }

  get length(): number {
    return this.#written.length
  }
  both(_name: string | null, _value: unknown, text: string, style?: Style): void {
    this.text(text, style)
  }
  member(): void {}
  text(text: string, style?: Style): void {
    this.#written += style === undefined ? text : (this.#style?.(style, text) ?? text)
  }
  line(): void {
    this.#written += this.#newline
  }
  open(): void {}
  close(): void {}
  openList(): void {}
  closeList(): void {}
  take(): string {
    const written = this.#written
    this.#written = ''
    return written
  }
}
