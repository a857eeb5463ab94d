/** Code in Markdown: finds the fenced blocks, and what their marks say. */

/** One fenced block. */
export interface Block {
  /** The document, and the line of the opening fence, from 1. */
  readonly document: string
  readonly line: number
  /** `ts`, `js`, `sh` … */
  readonly language: string
  /** Whether it is run, and against what output it is compared. */
  readonly run: boolean
  /** Why it is not run, where the mark gives a reason. */
  readonly reason: string | undefined
  readonly code: string
  /** The text block marked `output` right behind it. */
  readonly output: string | undefined
}

/**
 * Blocks of a document. After the language a fence says `run`, `skip` with a reason, or nothing;
 * a block marked `text output` is what the block before it prints.
 */
export function blocksOf(document: string, markdown: string): Block[] {
  const found: Block[] = []
  const fences = markdown.matchAll(/^```(\w+)[ \t]*(.*)\n([\s\S]*?)^```[ \t]*$/gm)
  for (const { 1: language = '', 2: mark = '', 3: code = '', index } of fences) {
    const before = found.at(-1)
    if (language === 'text' && mark === 'output' && before) {
      found[found.length - 1] = { ...before, output: code }
      continue
    }
    found.push({
      document,
      line: markdown.slice(0, index).split('\n').length,
      language,
      run: mark === 'run',
      reason: /^skip (.+)/.exec(mark)?.[1],
      code,
      output: undefined,
    })
  }
  return found
}

/** What is wrong with a block's mark, or undefined: TypeScript and JavaScript run or say why not. */
export function complaintOf({ language, run, reason, document, line }: Block): string | undefined {
  if (!['ts', 'js'].includes(language) || run || reason) return undefined
  return `${document}:${line} is neither run nor says why not`
}

/** Whether `actual` is `expected`, where … stands for any words of a line, and alone for any lines. */
export function matchesOutput(actual: string, expected: string): boolean {
  const pattern = expected
    .trimEnd()
    .split('\n')
    .map((line) => (line.trim() === '…' ? '(?:.*\n)*?.*' : line.split('…').map(literal).join('.*')))
    .join('\n')
  return new RegExp(`^${pattern}$`).test(actual.trimEnd())
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
