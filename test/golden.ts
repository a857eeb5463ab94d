/** Reads test/golden: messages that a real kernel sent, and what `ip -j` said of them then. */
import { readFileSync } from 'node:fs'

const folder = new URL('../../test/golden/', import.meta.url)

export interface Section {
  /** What was asked. */
  readonly title: string
  readonly messages: readonly Uint8Array[]
}

/** `## title`, then messages as lines of hex with empty lines between them. */
export function readGolden(name: string): Section[] {
  const text = readFileSync(new URL(`${name}.hex`, folder), 'utf8')
  return text
    .split('\n## ')
    .slice(1)
    .map((part) => {
      const [title, ...blocks] = part.trim().split('\n\n')
      const messages = blocks.map((block) =>
        Uint8Array.from(Buffer.from(block.replaceAll('\n', ''), 'hex')),
      )
      return { title: title as string, messages }
    })
}

/** One object of `ip -j`'s. */
export type Told = Record<string, unknown>

export function readTold(name: string): Told[] {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Told[]
}
