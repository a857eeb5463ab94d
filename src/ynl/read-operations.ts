/** Operations and groups of a spec, with the numbers that the spec leaves to counting. */
import { addUnique, type Fields } from './fields.ts'
import type { Exchange, Group, Listing, Operation } from './model.ts'
import type { Problems } from './problem.ts'
import { placeOf } from './read-definitions.ts'

/** A message, and the number that it says. */
interface Part {
  readonly listing: Listing
  readonly value: number | undefined
}

function readPart(fields: Fields | undefined): Part | undefined {
  if (!fields) return undefined
  const listing = { ...placeOf(fields.node), attributes: fields.refs('attributes') }
  const value = fields.integer('value')
  fields.done()
  return { listing, value }
}

interface Parts {
  readonly request: Part | undefined
  readonly reply: Part | undefined
  /** Whether there is a reply at all, even one without a list. */
  readonly isAnswered: boolean
}

function readParts(fields: Fields | undefined): Parts | undefined {
  if (!fields) return undefined
  const isAnswered = fields.has('reply')
  const parts = {
    request: readPart(fields.map('request')),
    reply: readPart(fields.map('reply')),
    isAnswered,
  }
  fields.ignore('pre', 'post')
  fields.done()
  return parts
}

const exchangeOf = (parts: Parts | undefined): Exchange | undefined =>
  parts && { request: parts.request?.listing, reply: parts.reply?.listing }

type Ids = readonly [request: number | undefined, reply: number | undefined]

/** Counts as Linux's tools do: one row of numbers, or one a direction. */
class Numbering {
  readonly #isDirectional: boolean
  #request = 1
  #reply = 1
  constructor(isDirectional: boolean) {
    this.#isDirectional = isDirectional
  }

  next(fields: Fields, parts: Parts | undefined, isAsync: boolean): Ids {
    const value = fields.integer('value')
    if (!this.#isDirectional) {
      const id = value ?? this.#request
      this.#request = id + 1
      return [id, id]
    }
    if (isAsync) {
      const id = value ?? this.#reply
      this.#reply = id + 1
      return [undefined, id]
    }
    const request = parts?.request?.value || value || this.#request
    this.#request = request + 1
    const reply = parts?.reply?.value || this.#reply
    this.#reply = parts?.isAnswered ? reply + 1 : reply
    return [request, parts?.isAnswered ? reply : undefined]
  }
}

/** What all operations have unless they say otherwise. */
interface Defaults {
  readonly fixedHeader: Operation['fixedHeader']
  readonly numbering: Numbering
}

function readOperation(fields: Fields, { fixedHeader, numbering }: Defaults): Operation {
  const doParts = readParts(fields.map('do'))
  const dumpParts = readParts(fields.map('dump'))
  const notify = fields.ref('notify')
  const event = fields.has('event') ? readPart(fields.map('event')) : undefined
  const isAsync = notify !== undefined || fields.has('event')
  const [requestId, replyId] = numbering.next(fields, doParts ?? dumpParts, isAsync)
  const place = placeOf(fields.node)
  fields.ignore('dont-validate', 'config-cond')
  const operation = {
    ...place,
    name: fields.name(),
    doc: fields.text('doc'),
    flags: fields.refs('flags')?.map(({ text }) => text) ?? [],
    set: fields.ref('attribute-set'),
    fixedHeader: fields.ref('fixed-header') ?? fixedHeader,
    requestId,
    replyId,
    do: exchangeOf(doParts),
    dump: exchangeOf(dumpParts),
    notify,
    event:
      event?.listing ?? (fields.has('event') ? { ...place, attributes: undefined } : undefined),
    group: fields.ref('mcgrp'),
  }
  fields.done()
  return operation
}

export interface ReadOperations {
  readonly operations: Map<string, Operation>
  readonly commandPrefix: string | undefined
  readonly isDirectional: boolean
}

/** The `operations` of a spec, by name. */
export function readOperations(top: Fields, problems: Problems): ReadOperations {
  const operations = new Map<string, Operation>()
  const fields = top.map('operations')
  if (!fields) {
    problems.error(top.node, '"operations" is missing')
    return { operations, commandPrefix: undefined, isDirectional: false }
  }
  const model = fields.oneOf('enum-model', ['unified', 'directional'], 'enum-model')
  const isDirectional = model === 'directional'
  const defaults = {
    fixedHeader: fields.ref('fixed-header'),
    numbering: new Numbering(isDirectional),
  }
  const byId = new Map<number, Operation>()
  for (const each of fields.maps('list')) {
    const operation = readOperation(each, defaults)
    const { requestId, name } = operation
    const rival = requestId === undefined ? undefined : byId.get(requestId)
    if (rival && rival.name !== name)
      problems.error(operation, `"${name}" and "${rival.name}" are both ${requestId}`)
    if (requestId !== undefined) byId.set(requestId, operation)
    addUnique(operations, operation, 'operation', problems)
  }
  const commandPrefix = fields.text('name-prefix')
  fields.ignore('async-prefix', 'async-enum', 'enum-name', 'enum-cnt-name')
  fields.done()
  return { operations, commandPrefix, isDirectional }
}

/** The `mcast-groups` of a spec. */
export function readGroups(top: Fields, problems: Problems): Group[] {
  const groups = new Map<string, Group>()
  const fields = top.map('mcast-groups')
  for (const each of fields?.maps('list') ?? []) {
    const group = { ...placeOf(each.node), name: each.name(), id: each.integer('value') }
    addUnique(groups, group, 'group', problems)
    each.ignore('c-define-name', 'flags')
    each.done()
  }
  fields?.done()
  return [...groups.values()]
}
