/** XML as a tree of elements that know their lines. */
import { SaxesParser } from 'saxes'
import { ConfigError } from './config.ts'

export interface Element {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly Element[]
  /** Its own characters, without those of its children. */
  readonly text: string
  readonly line: number
}

interface Draft extends Element {
  readonly children: Draft[]
  text: string
}

/** Deepest nesting of elements. */
const MAX_DEPTH = 100

/**
 * The root element of `source`.
 * @throws ConfigError when it is not well-formed.
 */
export function parseXml(source: string, file: string): Element {
  const parser = new SaxesParser({ position: true, fileName: file })
  const open: Draft[] = []
  let root: Draft | undefined
  const fail = (message: string): never => {
    throw new ConfigError(file, parser.line, message)
  }
  let line = 1
  parser.on('error', (error) => fail(error.message.replace(/^.*?:\d+:\d+: /, '')))
  parser.on('opentagstart', () => {
    line = parser.line
  })
  parser.on('opentag', ({ name, attributes }) => {
    if (open.length >= MAX_DEPTH) fail('elements are nested too deeply')
    const element: Draft = {
      name,
      attributes: new Map(Object.entries(attributes)),
      children: [],
      text: '',
      line,
    }
    open.at(-1)?.children.push(element)
    root ??= element
    open.push(element)
  })
  parser.on('closetag', () => void open.pop())
  const addText = (text: string): void => {
    const element = open.at(-1)
    if (element) element.text += text
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.write(source).close()
  return root ?? fail('there is no element')
}
